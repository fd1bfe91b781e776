"""Inside a jail: imports heavy packages once, computes nothing, and forks a kernel when asked.

`warm` runs this file's text with the names of the packages as arguments: it imports nothing of
labkit, of which a lab may withhold parts. Standard input is a socket; each message on it asks for a
kernel, whose request lies in /run/submission. Only the fork reads that, so that this process never
holds anything of a submission that a later fork could find in its memory.

A fork is what a fresh process in a jail of its own is: it has its own user, process, mount and ipc
namespaces, so that it can neither see into this process nor signal or trace it; its own /tmp,
/dev/shm, home and sockets, in memory; no descriptor, environment or session of this process; no
capabilities. Its end is the end of everything in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

_REQUEST = Path("/run/submission")
_NEW_NAMESPACES = 0x10000000 | 0x20000000 | 0x00020000 | 0x08000000  # user, process, mount, ipc
_NOSUID_NODEV, _BIND, _ALL_BELOW, _PRIVATE = 2 | 4, 1 << 12, 1 << 14, 1 << 18
_DUMPABLE, _DROP_FROM_BOUNDS, _ADOPT_ORPHANS, _AMBIENT = 4, 24, 36, 47
_LAST_CAPABILITY = 63
_JOIN_SESSION_KEYRING = 1
_SEED_OF_OLD_TORCH = 67280421310721  # in every process; newer ones draw it
_KEYCTL = {"x86_64": 250, "aarch64": 219}
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
    while control.recv(16):
        _fork(control)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # kernels that have ended
                pass


def _fork(control: socket.socket) -> None:
    """Start a kernel by way of a process that is gone before the kernel runs.

    That one has the namespaces' rights and this process's neighbourhood, which no kernel may find.
    """
    gone, alive = os.pipe()
    if between := os.fork():
        os.close(gone)
        os.close(alive)
        os.waitpid(between, 0)
        return
    try:
        _call("prctl", _DUMPABLE, 1)
        _enter_namespaces()
        if os.fork():
            os._exit(0)
        os.close(alive)
        os.read(gone, 1)  # ends when no process holds the other end
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
    _drop_rights()
    if os.fork() == 0:
        try:
            _kernel(request)
        finally:
            os._exit(1)
    control.send(b"forked")
    os.closerange(0, 256)
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", _FIRST])


def _mount(request: dict[str, Any]) -> None:
    """Lay folders of the fork's own over those that this process has."""
    _call("mount", None, b"/", None, _PRIVATE | _ALL_BELOW, None)
    home = request["home"]
    made = [folder for folder, _, _ in os.walk(home)]  # by the packages: caches, settings
    for place, size in request["in_memory"].items():
        below = {path: os.open(path, os.O_PATH) for path in _mounted_below(place)}
        _in_memory(place, f"size={size},mode=755")
        for path, handle in below.items():  # Python itself may lie in /tmp
            path.mkdir(parents=True)
            _bind(Path(f"/proc/self/fd/{handle}"), path)
            os.close(handle)
    for folder in made:
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name in request["files"]:
        target = Path(home, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        _show(_REQUEST / "files" / name, target)
    _show(_REQUEST / "connection.json", Path(request["connection_file"]))
    _in_memory(str(_REQUEST), "size=4k,mode=700")
    os.chdir(home)


def _in_memory(place: str, options: str) -> None:
    _call("mount", b"tmpfs", place.encode(), b"tmpfs", _NOSUID_NODEV, options.encode())


def _mounted_below(place: str) -> list[Path]:
    """Folders that are mounted somewhere below another; none that lies below one of these."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    found: list[Path] = []
    for path in sorted(Path(line.split()[4]) for line in lines):
        if Path(place) in path.parents and not any(known in path.parents for known in found):
            found.append(path)
    return found


def _show(source: Path, target: Path) -> None:
    """Bind a file, which stays as read-only as it is where it comes from."""
    target.touch()
    _bind(source, target)


def _bind(source: Path, target: Path) -> None:
    _call("mount", os.fsencode(source), os.fsencode(target), None, _BIND | _ALL_BELOW, None)


def _drop_rights() -> None:
    """Take away every capability for good, and the keys of the session."""
    for capability in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)  # those that there are
    _libc.prctl(_AMBIENT, 4, 0, 0, 0)
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _call("capset", header, nothing)
    if number := _KEYCTL.get(os.uname().machine):
        _libc.syscall(number, _JOIN_SESSION_KEYRING, None)


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
