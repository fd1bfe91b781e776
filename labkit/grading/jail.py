"""Kernels in a jail: a submission's code sees a bare system, no network, and only itself.

`JailedKernelManager` starts kernels through `JailedProvisioner`, which puts bubblewrap
(https://github.com/containers/bubblewrap) and prlimit in front of the kernel's command. Inside:

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
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq
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
_HOME = "/home/student"
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
    connection_file: Path,
    work: Path,
    environment: Mapping[str, str],
    limits: Limits,
    withheld: Mapping[Path, Path],
) -> list[str]:
    """A command that runs `command` inside the jail.

    Args:
        command: what runs inside, its paths as they are outside.
        connection_file: tells the kernel its sockets; it appears in /run/kernel.
        work: folder whose regular files the working folder starts with.
        environment: of the kernel; only known variables cross.
        limits: of every process inside.
        withheld: files of labkit that a lab asks students to write, each with what lies in its
            place inside.
    """
    known = {name: environment[name] for name in _ENVIRONMENT if name in environment}
    variables = {
        **known,
        "HOME": _HOME,
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",
        "USER": "student",
    }
    return [
        shutil.which("bwrap") or "bwrap",
        "--unshare-all",  # user, process, network, ipc, host name and cgroup namespaces
        "--die-with-parent",
        "--new-session",  # no controlling terminal to type into
        "--cap-drop",
        "ALL",
        *("--proc", "/proc", "--dev", "/dev"),
        *_in_memory("/dev/shm", limits.scratch),
        *_in_memory("/tmp", limits.scratch),
        *_in_memory(_HOME, limits.scratch),
        *_read_only(_SYSTEM),
        *_read_only(_python()),
        *_withheld(withheld),
        *_copies(work),
        *_in_memory(_SOCKETS, _ROOM_FOR_SOCKETS),
        *("--ro-bind", str(connection_file), f"{_SOCKETS}/{connection_file.name}"),
        *("--remount-ro", "/dev", "--remount-ro", "/"),  # their room is not limited
        *("--chdir", _HOME),
        "--clearenv",
        *(word for name, value in variables.items() for word in ("--setenv", name, value)),
        "--",
        "prlimit",
        f"--as={limits.memory + _LIBRARIES}",
        f"--fsize={limits.file}",
        f"--nproc={limits.processes}",
        "--core=0",
        "--",
        *(word.replace(str(connection_file.parent), _SOCKETS) for word in command),
    ]


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


def _copies(work: Path) -> list[str]:
    """Arguments that copy regular files of a folder into the working folder.

    Notebooks stay outside: the one that is graded holds the hidden tests. Links are not followed,
    as they may lead anywhere.
    """
    words: list[str] = []
    for path in sorted(work.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix == ".ipynb":
            continue
        inside = f"{_HOME}/{path.relative_to(work).as_posix()}"
        words += ["--ro-bind", str(path), inside]
    return words


_COVER = '''"""{module} is withheld in this lab."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def withheld(*args, **kwargs):
        raise ImportError(f"{module}.{{name}} is yours to write in this lab")

    return withheld
'''


def _covers(modules: Iterable[str], folder: Path) -> dict[Path, Path]:
    """For each withheld module the file that takes its place: it may be imported, not used.

    Raises:
        InputError: labkit has no such module.
    """
    covers = {}
    for module in modules:
        file = _package().joinpath(*module.split(".")[1:]).with_suffix(".py")
        if not module.startswith("labkit.") or not file.is_file():
            raise InputError(f"the lab withholds {module}, which is no module file of labkit")
        covers[file] = folder / f"withheld-{module}.py"
        covers[file].write_text(_COVER.format(module=module), encoding="utf-8")
    return covers


def _package() -> Path:
    return Path(labkit.__file__).parent


class JailedProvisioner(LocalProvisioner):
    """Launches a kernel inside the jail; everything else is as for a kernel outside."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Put the jail in front of the kernel's command.

        Raises:
            InputError: no jail can be had here.
        """
        reason = why_not()
        if reason is not None:
            raise InputError(reason)
        manager: Any = self.parent
        command = jailed(
            cmd,
            connection_file=Path(manager.connection_file),
            work=Path(kwargs.pop("cwd", None) or manager.folder),
            environment=kwargs.get("env") or os.environ,
            limits=manager.limits,
            withheld=_covers(manager.withheld, manager.folder),
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


class JailedKernelManager(AsyncKernelManager):
    """Starts kernels in the jail, whatever their kernelspec says."""

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
