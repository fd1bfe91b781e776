"""Kernels in a jail: a submission's code sees a bare system, no network, and only itself.

`JailedKernelManager` starts kernels through `JailedProvisioner`, which puts bubblewrap
(https://github.com/containers/bubblewrap) and prlimit in front of the kernel's command, or takes a
kernel that was forked inside such a jail (`warm`). Inside:

- the file system is empty but for the operating system's programs and libraries, Python with its
  packages, and labkit, all read-only; the course folder with its sources, gradebook and other
  people's work is not there;
- the working folder is a private copy of what was handed in beside the notebook, gone afterwards;
- there is no network, and other processes cannot be seen or signalled; the kernel is ended together
  with everything that it started;
- address space, file size, the number of processes and core dumps are limited. What the processes
  take together is watched by `watch`, and time by `judge.execute`.

There is no network, so the kernel and nbgrader talk through sockets in a small folder in memory
inside the jail. nbgrader reaches them by way of /proc: nothing of the host's disk can be written.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

import labkit
from labkit.errors import InputError

PROVISIONER = "labkit-jail"
# What a program needs of the operating system. Of /etc only what names libraries and fonts.
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
# Variables that may cross; everything else, tokens and addresses among it, stays outside.
_ENVIRONMENT = (
    "LABKIT_PRESET",
    "LANG",
    "LC_ALL",
    "NBGRADER_EXECUTION",
    "NBGRADER_VALIDATING",
    "OMP_NUM_THREADS",
    "PYTHONPATH",
)
_LIBRARIES = 4 << 30  # bytes of address space that torch reserves and does not use
_MESSAGE = 32 << 20  # bytes of the largest message of a kernel that is read
_ROOM_FOR_SOCKETS = 1 << 20
_WAITING = 64  # messages that may wait to be read; the kernel throws away what comes after
HOME = "/home/student"
_SOCKETS = "/run/kernel"


@dataclass(frozen=True)
class Limits:
    """What a submission may use at most.

    Args:
        memory: resident bytes of all its processes together; `watch` ends it beyond that. The
            address space of each process is limited to 4 GB more, which importing torch takes.
        file: bytes of the largest file it may write.
        processes: processes and threads together. Linux does not hold root to it, `watch` does.
        scratch: bytes that its files may take in each of three folders, in memory.
    """

    memory: int = 4 << 30
    file: int = 1 << 30
    processes: int = 512
    scratch: int = 1 << 30


def why_not() -> str | None:
    """Why no jail can be had on this machine, in a sentence with what to do; None if it can."""
    if not sys.platform.startswith("linux"):
        return "submissions can be jailed on Linux only: grade in a virtual machine or container"
    for program in ("bwrap", "prlimit"):
        if shutil.which(program) is None:
            package = {"bwrap": "bubblewrap", "prlimit": "util-linux"}[program]
            return f"{program} is missing: sudo apt-get install {package}"
    probe = ["bwrap", "--unshare-all", *_read_only(_SYSTEM), "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        return (
            f"bubblewrap cannot make a namespace here ({done.stderr.strip()}): allow user "
            "namespaces (sysctl kernel.unprivileged_userns_clone=1), or grade as root"
        )
    return None


def options() -> list[str]:
    """What a demonstration adds to nbgrader's command where no jail can be had."""
    return [] if why_not() is None else ["--Execute.sandbox=none"]


def jailed(
    command: Sequence[str],
    *,
    shown: Sequence[str],
    variables: Mapping[str, str],
    limits: Limits,
    withheld: Mapping[Path, Path],
) -> list[str]:
    """A command that runs `command` inside the jail.

    Args:
        command: what runs inside, its paths as they are inside.
        shown: bubblewrap's arguments that show files beside the system's.
        variables: the environment inside.
        limits: of every process inside.
        withheld: files of labkit that a lab asks students to write, each with what lies in its
            place inside.
    """
    return [
        shutil.which("bwrap") or "bwrap",
        "--unshare-all",  # user, process, network, ipc, host name and cgroup namespaces
        "--die-with-parent",
        "--new-session",  # no controlling terminal to type into
        "--cap-drop",
        "ALL",
        *("--uid", "1000", "--gid", "1000"),  # not root, who cannot be handed on to a namespace
        *("--proc", "/proc", "--dev", "/dev"),
        *(word for place, size in in_memory(limits).items() for word in _in_memory(place, size)),
        *_read_only(_SYSTEM),
        *_read_only(_python()),
        *_withheld(withheld),
        *shown,
        *("--remount-ro", "/dev", "--remount-ro", "/"),  # their room is not limited
        *("--chdir", HOME),
        "--clearenv",
        *(word for name, value in variables.items() for word in ("--setenv", name, value)),
        "--",
        "prlimit",
        f"--as={limits.memory + _LIBRARIES}",
        f"--fsize={limits.file}",
        f"--nproc={limits.processes}",
        "--core=0",
        "--",
        *command,
    ]


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a kernel: of the instructor's, only what is known crosses."""
    return {name: environment[name] for name in _ENVIRONMENT if name in environment} | {
        "HOME": HOME,
        "PWD": HOME,
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",
        "USER": "student",
    }


def in_memory(limits: Limits) -> dict[str, int]:
    """What can be written inside, and how many bytes each holds."""
    return {
        "/dev/shm": limits.scratch,
        "/tmp": limits.scratch,
        HOME: limits.scratch,
        _SOCKETS: _ROOM_FOR_SOCKETS,
    }


def _in_memory(path: str, size: int) -> list[str]:
    return ["--size", str(size), "--tmpfs", path]


def _read_only(paths: Iterable[str]) -> list[str]:
    return [word for path in paths for word in ("--ro-bind-try", path, path)]


def _python() -> list[str]:
    """Where Python, its packages and labkit lie.

    A virtual environment, and labkit itself when it is installed for editing, may lie inside the
    course folder: only their own folders are shown.
    """
    return [sys.base_prefix, sys.prefix, str(_package())]


def _withheld(covers: Mapping[Path, Path]) -> list[str]:
    """Arguments that lay a cover over each withheld file, and empty its folder of bytecode."""
    words: list[str] = []
    for file, cover in covers.items():
        words += ["--ro-bind", str(cover), str(file)]
        compiled = file.parent / "__pycache__"
        if compiled.is_dir():
            words += ["--tmpfs", str(compiled), "--remount-ro", str(compiled)]
    return words


def handed_in(work: Path) -> Iterator[Path]:
    """The regular files of a folder that are shown in the working folder.

    Notebooks stay outside: the one that is graded holds the hidden tests. Links are not followed,
    as they may lead anywhere.
    """
    for path in sorted(work.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb":
            yield path


def _copies(work: Path) -> list[str]:
    """Arguments that show the files of a folder in the working folder."""
    return [
        word
        for path in handed_in(work)
        for word in ("--ro-bind", str(path), f"{HOME}/{path.relative_to(work).as_posix()}")
    ]


_COVER = '''"""{module} is withheld in this lab."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def withheld(*args, **kwargs):
        raise ImportError(f"{module}.{{name}} is yours to write in this lab")

    return withheld
'''


def covers(modules: Iterable[str], folder: Path) -> dict[Path, Path]:
    """For each withheld module the file that takes its place: it may be imported, not used.

    Raises:
        InputError: labkit has no such module.
    """
    found = {}
    for module in modules:
        file = _package().joinpath(*module.split(".")[1:]).with_suffix(".py")
        if not module.startswith("labkit.") or not file.is_file():
            raise InputError(f"the lab withholds {module}, which is no module file of labkit")
        found[file] = folder / f"withheld-{module}.py"
        found[file].write_text(_COVER.format(module=module), encoding="utf-8")
    return found


def _package() -> Path:
    return Path(labkit.__file__).parent


class JailedProvisioner(LocalProvisioner):
    """Launches a kernel inside the jail; everything else is as for a kernel outside."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel if there is something to fork it from, or start it in a jail of its own.

        Raises:
            InputError: no jail can be had here.
        """
        if reason := why_not():
            raise InputError(reason)
        manager: Any = self.parent
        work = Path(kwargs.pop("cwd", None) or manager.folder)
        environment = variables(kwargs.get("env") or os.environ)
        forked = manager.fork(manager, cmd, work, environment)
        if forked is None:
            return await self._launch_cold(cmd, work, environment, kwargs)
        self.process, self.pid, self.pgid = forked, forked.pid, None
        manager.inside = forked.pid
        return self.connection_info

    async def _launch_cold(
        self, cmd: list[str], work: Path, environment: Mapping[str, str], kwargs: dict[str, Any]
    ) -> KernelConnectionInfo:
        manager: Any = self.parent
        file = manager.connection_file
        command = jailed(
            [manager.seen_inside(word) for word in cmd],
            shown=[*_copies(work), "--ro-bind", file, manager.seen_inside(file)],
            variables=environment,
            limits=manager.limits,
            withheld=covers(manager.withheld, manager.folder),
        )
        reads, writes = os.pipe()
        with os.fdopen(reads) as answer, os.fdopen(writes, "w") as info:
            launched = await super().launch_kernel(
                [command[0], "--info-fd", str(writes), *command[1:]],
                **kwargs
                | {
                    "pass_fds": (writes,),
                    "env": {},  # bubblewrap's own can be read inside: it is process 1
                    # A terminal obeys what is written to it, so the kernel gets none.
                    "stdout": subprocess.DEVNULL,
                    "stderr": subprocess.DEVNULL,
                },
            )
            info.close()
            manager.inside = _first_process(answer.read())
        return launched


def _first_process(info: str) -> int:
    """The number, outside, of the jail's first process.

    Raises:
        InputError: bubblewrap ended before it began.
    """
    try:
        return int(json.loads(info)["child-pid"])
    except (ValueError, LookupError):
        raise InputError("bubblewrap could not set up the jail: try `labkit doctor`") from None


def _cold(*_: Any) -> None:
    """Fork nothing."""


class JailedKernelClient(AsyncKernelClient):
    """Goes to work as soon as the kernel answers."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, and until what it does is heard.

        jupyter_client's own then reads on until 0.2 s pass in silence, which for a forked kernel
        is longer than it took to start. What it would throw away, nbclient passes over: it looks
        only at what belongs to the cell that it runs.

        Raises:
            RuntimeError: the kernel has ended, or does not answer within `timeout` seconds.
        """
        deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        while time.monotonic() < deadline:
            self.kernel_info()
            try:
                await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)  # after the answer, if connected
                return
            except Empty:
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
        raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")


class JailedKernelManager(AsyncKernelManager):
    """Starts kernels in the jail, whatever their kernelspec says.

    `fork(manager, command, folder, environment)` may give a kernel that runs already, as `Popen`
    would; None has one started.
    """

    client_factory = JailedKernelClient
    fork: Callable[..., Any] = staticmethod(_cold)
    limits = Limits()
    withheld: Sequence[str] = ()  # modules of labkit, by their dotted names
    inside = 0  # number of the jail's first process

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = tempfile.TemporaryDirectory(prefix="labkit-")
        self.folder = Path(self._folder.name)
        self.transport = "ipc"
        self.ip = f"{_SOCKETS}/socket"
        self.connection_file = str(self.folder / "connection.json")

    @property
    def kernel_spec(self) -> KernelSpec | None:
        """The kernel's own specification, but for who launches and how it is interrupted."""
        spec: KernelSpec | None = super().kernel_spec
        if spec is not None:
            spec.interrupt_mode = "message"  # a signal from outside would reach bubblewrap
            spec.metadata = {
                **spec.metadata,
                "kernel_provisioner": {"provisioner_name": PROVISIONER, "config": {}},
            }
        return spec

    def seen_inside(self, word: str) -> str:
        """A word of the kernel's command, with the path that its connection file has inside."""
        return word.replace(str(self.folder), _SOCKETS)

    def client(self, **kwargs: Any) -> Any:
        """A client that holds no more of what the kernel says than fits into memory."""
        client = super().client(**kwargs)
        client.context.setsockopt(zmq.MAXMSGSIZE, _MESSAGE)  # of the sockets that it will open
        client.context.setsockopt(zmq.RCVHWM, _WAITING)
        return client

    async def _async_post_start_kernel(self, **kwargs: Any) -> None:
        """From here on speak to the sockets inside, as they are seen from outside."""
        self.ip = f"/proc/{self.inside}/root{_SOCKETS}/socket"
        await super()._async_post_start_kernel(**kwargs)

    post_start_kernel = _async_post_start_kernel

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        """Remove the folder of the connection file."""
        await super()._async_cleanup_resources(restart)
        if not restart:
            self._folder.cleanup()

    cleanup_resources = _async_cleanup_resources
