"""Inside a sandbox: imports heavy packages once, computes nothing, and forks a kernel when asked.

`prefork` runs this file's text with the names of the packages as arguments: it imports nothing of
labkit, of which a lab may withhold parts. Standard input is a socket. The message "fork" asks for a
kernel, whose request lies in /run/submission; when its first process has said that it is there,
"go" lets it go on. Only the fork reads the request, so that this process never holds anything of a
submission that a later fork could find in its memory.

A fork is what a fresh process in a sandbox of its own is: it has its own user, process, mount,
network and ipc namespaces, so that it can neither see into this process nor signal or trace it; its
own /proc, /tmp, /dev/shm, home and sockets; no descriptor, environment or session of this process;
no capabilities, and a filter of system calls. Its end is the end of everything in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib.util
import json
import os
import re
import shutil
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

_REQUEST = Path("/run/submission")
# user, process, mount, network, ipc
_NEW_NAMESPACES = 0x10000000 | 0x20000000 | 0x00020000 | 0x40000000 | 0x08000000
_READ_ONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_REMOUNT, _BIND, _ALL_BELOW, _PRIVATE = 1 << 5, 1 << 12, 1 << 14, 1 << 18
_DUMPABLE, _SECCOMP, _DROP_FROM_BOUNDS, _ADOPT_ORPHANS, _AMBIENT = 4, 22, 24, 36, 47
_LAST_CAPABILITY = 63
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # of a network interface
_SEED_OF_OLD_TORCH = 67280421310721  # in every process; newer ones draw it
# The first process of the fork's namespace: inherits what the kernel leaves behind, and ends with
# it. A kernel that were the first itself could not be ended by its own signals.
_FIRST = "import os\nwhile os.wait()[0] != 2: pass"
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Serve until standard input ends."""
    _call("prctl", _DUMPABLE, 0)
    _call("prctl", _ADOPT_ORPHANS, 1)
    control = socket.socket(fileno=os.dup(0))
    if sys.path[0] == "":  # as ipykernel does when it is started
        del sys.path[0]
    for package in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # the notebook will say so in its own words
            importlib.import_module(package)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy every page that holds an object
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    control.send(b"ready" if threads == 1 else b"the packages start threads when imported")
    waiting = -1
    while said := control.recv(16):
        if said == b"fork":
            waiting = _fork(control)
        else:
            os.write(waiting, said)
            os.close(waiting)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # kernels that have ended
                pass


def _fork(control: socket.socket) -> int:
    """Start a kernel by way of a process that is gone before the kernel runs.

    That one has the namespaces' rights and this process's neighbourhood, which no kernel may find.

    Returns:
        A descriptor: what is written to it lets the kernel's first process go on.
    """
    gone, alive = os.pipe()
    told, tell = os.pipe()
    if between := os.fork():
        for descriptor in (gone, alive, told):
            os.close(descriptor)
        os.waitpid(between, 0)
        return tell
    try:
        _call("prctl", _DUMPABLE, 1)
        _enter_namespaces()
        if os.fork():
            os._exit(0)
        os.close(alive)
        os.read(gone, 1)  # ends when no process holds the other end
        os.close(tell)
        control.send(b"forked")
        if os.read(told, 1):  # else nobody is there any more
            _first_process(control)
    except BaseException as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:2000])
    os._exit(1)


def _enter_namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    _call("unshare", _NEW_NAMESPACES)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text, "ascii")


def _first_process(control: socket.socket) -> NoReturn:
    os.setsid()
    request = json.loads((_REQUEST / "request.json").read_text("utf-8"))
    _mount(request)
    _bring_loopback_up()
    _drop_rights()
    if os.fork() == 0:
        try:
            _kernel(request)
        finally:
            os._exit(1)
    control.send(b"runs")
    os.closerange(0, 256)
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", _FIRST])


def _mount(request: dict[str, Any]) -> None:
    """Lay folders of the fork's own over those that this process has."""
    _call("mount", None, b"/", None, _PRIVATE | _ALL_BELOW, None)
    home = request["home"]
    made = [folder for folder, _, _ in os.walk(home)]  # by the packages: caches, settings
    for place, size in request["in_memory"].items():
        below = {path: os.open(path, os.O_PATH) for path in _mounted_below(place)}
        _in_memory(place, f"size={size},nr_inodes={request['most_files']},mode=755")
        for path, handle in below.items():  # Python itself may lie in /tmp
            path.mkdir(parents=True)
            _bind(Path(f"/proc/self/fd/{handle}"), path)
            os.close(handle)
    for folder in made:
        Path(folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(_REQUEST / "files", home, dirs_exist_ok=True, copy_function=shutil.copyfile)
    connection = Path(request["connection_file"])
    connection.touch()
    _bind(_REQUEST / "connection.json", connection)  # as read-only as where it comes from
    _in_memory(str(_REQUEST), "size=4k,mode=700")
    flags = _NOSUID | _NODEV | _NOEXEC
    _call("mount", b"proc", b"/proc", b"proc", flags, None)
    _bind(Path("/proc/sys"), Path("/proc/sys"))
    _call("mount", None, b"/proc/sys", None, _REMOUNT | _BIND | _READ_ONLY | flags, None)
    os.chdir(home)


def _bring_loopback_up() -> None:
    """A network of its own has an interface for talking to itself, which is down at first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = b"lo".ljust(16, b"\0")
        answer = fcntl.ioctl(any_socket, _GET_FLAGS, name + bytes(24))
        (flags,) = struct.unpack_from("H", answer, 16)
        fcntl.ioctl(any_socket, _SET_FLAGS, name + struct.pack("H", flags | _UP) + bytes(22))


def _in_memory(place: str, options: str) -> None:
    _call("mount", b"tmpfs", place.encode(), b"tmpfs", _NOSUID | _NODEV, options.encode())


def _mounted_below(place: str) -> list[Path]:
    """Folders that are mounted somewhere below another; none that lies below one of these."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    found: list[Path] = []
    for path in sorted(Path(_unescaped(line.split()[4])) for line in lines):
        if Path(place) in path.parents and not any(known in path.parents for known in found):
            found.append(path)
    return found


def _unescaped(path: str) -> str:
    """A path of the kernel's lists, in which a blank is written as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def _bind(source: Path, target: Path) -> None:
    _call("mount", os.fsencode(source), os.fsencode(target), None, _BIND | _ALL_BELOW, None)


def _drop_rights() -> None:
    """Take away every capability for good."""
    for capability in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)  # those that there are
    _libc.prctl(_AMBIENT, 4, 0, 0, 0)
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _call("capset", header, nothing)


def _filter_system_calls(program: bytes) -> None:
    """Let only some system calls through, here and in everything that is started from here."""

    class Filter(ctypes.Structure):
        _fields_ = (("instructions", ctypes.c_ushort), ("first", ctypes.c_char_p))

    only_by_a_program = 2
    _call("prctl", _SECCOMP, only_by_a_program, ctypes.byref(Filter(len(program) // 8, program)))


def _kernel(request: dict[str, Any]) -> None:
    """Become the kernel, as a process that was started for it would be."""
    os.setsid()
    nothing, closed = os.pipe()  # as for a kernel that is started, an input at its end
    os.dup2(nothing, 0)
    os.close(closed)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.closerange(3, 65536)
    # Python sets this one itself when it is started without a locale.
    locale = {name: os.environ[name] for name in ["LC_CTYPE"] if name in os.environ}
    os.environ.clear()
    os.environ.update(locale | request["environment"])
    _seed_anew()
    if program := bytes.fromhex(request["seccomp"]):
        _filter_system_calls(program)
    spec = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [str(spec and spec.origin), *request["arguments"]]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def _seed_anew() -> None:
    """Give the generators the seeds of a fresh process; Python does so with its own."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    torch = sys.modules.get("torch")
    if torch and torch.initial_seed() != _SEED_OF_OLD_TORCH:
        torch.default_generator.seed()


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    if getattr(_libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
