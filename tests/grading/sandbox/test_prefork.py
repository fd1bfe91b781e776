"""Kernels that are forked: as fresh as others, and unable to reach what they were forked from."""

import json
import os
import secrets
import signal

import pytest
from grading.sandbox.test_kernels import run, work  # noqa: F401 (a fixture)
from nbformat.v4 import new_code_cell, new_notebook

from labkit.grading.judge import runner
from labkit.grading.sandbox import forkserver, kernels, prefork
from labkit.grading.sandbox.limits import Limits
from labkit.grading.task import Task

pytestmark = pytest.mark.sandbox
PACKAGES = ("numpy", "torch")
# What a program can see of the process that it is in, beside the modules that are imported.
STATE = """
import glob, json, locale, os, random, resource, signal, socket, stat, sys, threading
status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines())
kinds = [os.fstat(int(fd)).st_mode for fd in os.listdir("/proc/self/fd") if int(fd) < 3]
print(json.dumps({
    "arguments": sys.argv, "path": sys.path, "flags": list(sys.flags), "folder": os.getcwd(),
    "environment": {k: v for k, v in os.environ.items() if k not in ("PS1", "_")},
    "ids": [os.getuid(), os.getgid(), os.getgroups()], "mask": status["Umask"],
    "session": os.getsid(0) == os.getpgid(0), "nice": os.nice(0), "locale": locale.getlocale(),
    "rights": [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "no more rights": status["NoNewPrivs"], "filters": status["Seccomp_filters"],
    "standard": list(map(stat.S_ISCHR, kinds)),
    "limits": [resource.getrlimit(n) for n in range(16)],
    "handlers": [str(signal.getsignal(n)) for n in (2, 10, 15, 17)],
    "blocked": status["SigBlk"], "ignored": status["SigIgn"], "threads": threading.active_count(),
    "home": sorted(name for name in glob.glob(".*") if name != ".cache"),
    "places": [sorted(os.listdir(place)) for place in ("/dev/shm", "/run/kernel", "/dev")],
    "main": sys.modules["__main__"].__dict__ is globals(), "parent": os.getppid(),
}))
"""


@pytest.fixture(autouse=True)
def forked(monkeypatch):
    """Kernels are forked from one process."""

    def fork(manager, *arguments):
        return parent().fork(manager, *arguments)

    monkeypatch.setattr(kernels.SandboxedKernelManager, "fork", staticmethod(fork))


def parent() -> prefork.ForkServer:
    return prefork.server(PACKAGES, (), None, Limits(), os.environ)


def test_the_state_is_that_of_a_kernel_that_was_started(work, monkeypatch):  # noqa: F811
    (forked,) = run(STATE, work=work)
    monkeypatch.setattr(kernels.SandboxedKernelManager, "fork", staticmethod(kernels._cold))
    (started,) = run(STATE, work=work)
    assert json.loads(forked) == json.loads(started)


def test_random_numbers_are_as_new_as_in_kernels_that_were_started(work, monkeypatch):  # noqa: F811
    draw = "import random, numpy as np, torch\n"
    draw += "print(random.random(), np.random.rand(), torch.initial_seed(), torch.rand(1).item())"
    forked = [run(draw, work=work)[0].split() for _ in range(2)]
    monkeypatch.setattr(kernels.SandboxedKernelManager, "fork", staticmethod(kernels._cold))
    started = [run(draw, work=work)[0].split() for _ in range(2)]
    differ = [one != other for one, other in zip(*forked, strict=True)]
    assert differ == [one != other for one, other in zip(*started, strict=True)]
    assert differ[:2] == [True, True]


def test_nothing_is_left_for_the_next(work):  # noqa: F811
    leave = """
import ctypes, os, socket, subprocess, sys
for place in ("/tmp/left", "/dev/shm/left", "left"):
    open(place, "w").write("left")
libc = ctypes.CDLL(None)
libc.shmget(4711, 4096, 0o1666)
libc.syscall(248, b"user", b"left", b"left", 4, -3)
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0left"); listener.listen()
subprocess.Popen(["sleep", "987"], start_new_session=True)
import numpy
numpy.left = os.environ["LEFT"] = sys.left = "left"
for process in ("self", "1"):
    open(f"/proc/{process}/oom_score_adj", "w").write("500")
"""
    look = """
import ctypes, glob, os, socket, sys
import numpy
found = [p for p in ("/tmp/left", "/dev/shm/left", "left") if os.path.exists(p)]
libc = ctypes.CDLL(None)
found += ["segment"] * (libc.shmget(4711, 4096, 0) >= 0)
found += ["key"] * (libc.syscall(249, b"user", b"left", None, 0) >= 0)
try:
    socket.socket(socket.AF_UNIX).connect("\\0left")
    found.append("socket")
except OSError:
    pass
found += [p for p in glob.glob("/proc/[0-9]*/cmdline") if b"987" in open(p, "rb").read()]
found += ["score"] * (open("/proc/self/oom_score_adj").read() == "500\\n")
print(found, hasattr(numpy, "left"), hasattr(sys, "left"), "LEFT" in os.environ)
"""
    _, seen = run(leave, look, work=work)
    # Shared segments and keys cannot be had at all.
    assert "['/tmp/left', '/dev/shm/left', 'left', 'socket', '/proc/" in seen and "'score']" in seen
    assert seen.endswith("True True True")
    assert run(look, work=work) == ["[] False False False"]


def test_it_sees_its_own_processes_and_its_own_network_only(work):  # noqa: F811
    """Counters of a namespace that kernels share would be a way to tell the next one something."""
    talk = """
import os, socket, threading
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"x" * 100_000), daemon=True).start()
client = socket.create_connection(server.getsockname())
received = len(client.recv(1 << 20, socket.MSG_WAITALL))
"""
    look = """
[line] = [line.split() for line in open("/proc/net/dev") if "lo:" in line]
print(line[1], sorted(name for name in os.listdir("/proc") if name.isdigit()))
"""
    assert run(talk, "print(received)", work=work)[1] == "100000"
    assert run("import os", look, work=work)[1] == "0 ['1', '2']"


def test_the_process_it_was_forked_from_is_out_of_reach(work):  # noqa: F811
    before = parent()
    reach = """
import ctypes, glob, os, signal
libc = ctypes.CDLL(None, use_errno=True)
mine = {line.split()[1] for p in ("self", "thread-self") for line in open(f"/proc/{p}/status")
        if line.startswith("Pid:")}
reached = []
for folder in glob.glob("/proc/[0-9]*"):
    name = open(folder + "/cmdline").read()
    if os.path.basename(folder) in mine or "os.wait" in name:
        continue  # itself, and the first of its own namespace
    for file in ("mem", "environ", "maps", "root/etc", "fd/0", "cwd", "ns/user"):
        try:
            os.open(f"{folder}/{file}", os.O_RDONLY)
            reached.append((name, file))
        except OSError:
            pass
    try:
        signal.pidfd_send_signal(os.open(folder, os.O_RDONLY), 0)
        reached.append((name, "signal"))
    except OSError:
        pass
    number = int(os.path.basename(folder))
    if number > 2 and libc.ptrace(16, number, 0, 0) == 0:
        reached.append((name, "ptrace"))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(0, signal.SIGTERM)
try:
    os.kill(-1, signal.SIGTERM)
except ProcessLookupError:
    pass
print(reached)
"""
    assert run(reach, work=work) == ["[]"]
    assert run("print(1)", work=work) == ["1"]
    assert parent() is before


def test_what_covers_the_parents_folders_cannot_be_taken_away(work):  # noqa: F811
    uncover = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
places = [b"/tmp", b"/home/student", b"/run/kernel", b"/run/submission", b"/dev/shm", b"/proc"]
print([libc.umount2(place, 2) for place in places])
libc.unshare(0x10000000 | 0x20000)
print([libc.umount2(place, 2) for place in places])
"""
    assert run(uncover, work=work) == ["\n".join(2 * ["[-1, -1, -1, -1, -1, -1]"])]


def test_what_an_earlier_kernel_was_told_is_not_in_memory(work):  # noqa: F811
    secret = secrets.token_hex(20)
    (work / "data.txt").write_text(secret)
    find = """
one, two = NEEDLE[:19:-1].encode(), NEEDLE[19::-1].encode()  # never joined here
found = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
    for line in maps:
        if " r" in line and "[v" not in line:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            memory.seek(begin)
            try:
                rest = memory.read(end - begin).split(one)[1:]
            except OSError:
                continue
            found += any(part.startswith(two) for part in rest)
print(found)
"""
    assert run("print(open('data.txt').read())", work=work) == [secret]
    (work / "data.txt").unlink()
    backwards = f"NEEDLE = {secret[::-1]!r}"
    assert run(backwards, find, work=work)[1] == "0"
    assert run(backwards, "keep = NEEDLE[::-1]", find, work=work)[2] != "0"  # it can find


def test_a_parent_that_has_ended_is_replaced(work):  # noqa: F811
    done = runner.perform(task(work))
    assert (done.error, done.cold) == (None, None)
    for known in prefork._servers.values():
        os.kill(known._process.pid, signal.SIGKILL)
        known._process.wait()
    done = runner.perform(task(work))
    assert done.error is None
    assert printed(done) == "42\n"


def test_what_cannot_be_forked_is_started_and_that_is_said(work, monkeypatch):  # noqa: F811
    monkeypatch.setattr(prefork, "_RUN", "print('no such thing')")
    monkeypatch.setattr(prefork, "_servers", {})
    done = runner.perform(task(work))
    assert (done.error, done.cold) == (None, "the process they fork from ended")
    assert printed(done) == "42\n"


def task(work) -> Task:  # noqa: F811
    book = new_notebook(cells=[new_code_cell("print(6 * 7)")])
    book.metadata["kernelspec"] = {"name": "python3"}
    return Task(book, str(work), None, {}, {}, [], [], None, {}, {"timeout": 30}, 60.0)


def printed(result) -> str:
    return result.notebook["cells"][0]["outputs"][0]["text"]


def test_a_blank_in_the_environments_path_is_no_reason_to_start_kernels_anew(monkeypatch):
    line = r"29 1 254:0 / /tmp/my\040folder/v\134env ro - ext4 /dev/vda rw"
    monkeypatch.setattr(forkserver.Path, "read_text", lambda *_: line)
    assert forkserver._mounted_below("/tmp") == [forkserver.Path("/tmp/my folder/v\\env")]
