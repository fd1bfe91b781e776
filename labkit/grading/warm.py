"""Kernels forked from a jailed process that has imported the heavy packages already.

`Warm` is that process as it is seen from outside; inside runs `forkserver.py`. A kernel that it
forks is jailed as one of its own jail is, and half a second away instead of three.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit.grading import jail

_START = 120.0  # seconds for all imports; a file cache may be cold
_FORK = 30.0
_FORKSERVER = Path(__file__).with_name("forkserver.py")
# Not as a script: its folder would be where modules are looked for first.
_RUN = "import sys; exec(compile(open(sys.argv.pop(1)).read(), 'forkserver', 'exec'))"
_LAUNCHER = ["-m", "ipykernel_launcher"]
_CREDENTIALS = struct.Struct("3i")  # process, user, group
# What takes long to import, if the lab imports it; everything here when it imports labkit.
_HEAVY = (
    "numpy",
    "torch",
    "torchvision",
    "cv2",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "pandas",
    "skimage",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PpmImagePlugin",
    "ipywidgets",
)
# What every kernel imports when it starts, or shows its first error.
_ALWAYS = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "pygments.formatters.terminal256",
    "stack_data",
    "sqlite3",
)


class WarmFailed(Exception):
    """No kernel can be forked; the message says why."""


class Warm:
    """A jailed process from which kernels are forked, one after another.

    Args:
        packages: what it imports before it forks.
        withheld: modules of labkit that are not to be seen inside.
        limits: of each kernel.
        environment: of the instructor; only known variables cross.
    """

    def __init__(
        self,
        packages: Sequence[str],
        withheld: Sequence[str],
        limits: jail.Limits,
        environment: Mapping[str, str],
    ) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="labkit-")
        covers = Path(self._home.name, "covers")
        self._requests = Path(self._home.name, "submission")
        for folder in (covers, self._requests):
            folder.mkdir()
        self._limits = limits
        self._ready = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        # matplotlib reads this one when it is imported; a kernel sets it before that.
        backend = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        command = jail.jailed(
            [sys.executable, "-c", _RUN, str(_FORKSERVER), *packages],
            shown=["--ro-bind", str(self._requests), "/run/submission"],
            variables=jail.variables(environment) | backend,
            limits=limits,
            withheld=jail.covers(withheld, covers),
        )
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
            )

    def fork(
        self,
        manager: jail.JailedKernelManager,
        command: Sequence[str],
        work: Path,
        environment: Mapping[str, str],
    ) -> Forked:
        """A kernel whose working folder starts with the files of a folder.

        Raises:
            WarmFailed: this process has ended, or cannot fork.
        """
        if list(command[1:3]) != _LAUNCHER:
            raise WarmFailed(f"the kernel {manager.kernel_name} is not Python's own")
        if not self._ready:
            self._hear(b"ready", _START)
            self._ready = True
        self._put(manager, command[3:], work, environment)
        with contextlib.suppress(OSError):
            self._control.send(b"fork")
        return Forked(self._hear(b"forked", _FORK))

    def close(self) -> None:
        """End it, and the kernel that it has forked last."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._home.cleanup()

    def _hear(self, expected: bytes, seconds: float) -> int:
        """Wait for a message; the number, outside, of the process that sent it."""
        self._control.settimeout(seconds)
        try:
            said, about, *_ = self._control.recvmsg(2048, socket.CMSG_SPACE(_CREDENTIALS.size))
        except OSError as error:
            raise WarmFailed(str(error) or type(error).__name__) from None
        if said != expected:
            raise WarmFailed(said.decode("utf-8", "replace") or "the process they fork from ended")
        return int(_CREDENTIALS.unpack(about[0][2])[0])

    def _put(
        self,
        manager: jail.JailedKernelManager,
        arguments: Sequence[str],
        work: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Write what the next fork is to be, in place of what the last one was."""
        files = self._requests / "files"
        shutil.rmtree(files, ignore_errors=True)
        names = []
        for path in jail.handed_in(work):
            names.append(path.relative_to(work).as_posix())
            (files / names[-1]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, files / names[-1])
        shutil.copyfile(manager.connection_file, self._requests / "connection.json")
        request = {
            "arguments": [manager.seen_inside(word) for word in arguments],
            "connection_file": manager.seen_inside(manager.connection_file),
            "environment": dict(environment),
            "files": names,
            "home": jail.HOME,
            "in_memory": jail.in_memory(self._limits),
        }
        (self._requests / "request.json").write_text(json.dumps(request), "utf-8")


class Forked:
    """A forked kernel, with the methods of `subprocess.Popen` that its provisioner calls.

    It is no child of this process. Its number cannot be given to another one before it forks the
    next kernel, since nothing asks earlier what became of this one.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        try:
            self._handle = os.pidfd_open(pid)
        except OSError as error:
            raise WarmFailed(f"the fork cannot be watched: {error}") from None

    def poll(self, seconds: float = 0.0) -> int | None:
        """Its end, if it comes within some seconds; with which code is not known."""
        if self.returncode is None and select.select([self._handle], [], [], seconds)[0]:
            self.returncode = -1
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        while (code := self.poll(60.0)) is None:
            pass
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to the first process of its namespace."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)
        if number == signal.SIGKILL:
            self.poll(1.0)  # a moment, in which everything in the namespace ends

    def kill(self) -> None:
        """End it, and with it everything that it started."""
        self.send_signal(signal.SIGKILL)

    terminate = kill

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._handle)


_processes: dict[tuple, Warm] = {}


def process(
    packages: Sequence[str],
    withheld: Sequence[str],
    limits: jail.Limits,
    environment: Mapping[str, str],
) -> Warm:
    """The process to fork from for labs that ask for the same."""
    key = (
        tuple(packages),
        tuple(withheld),
        limits,
        tuple(sorted(jail.variables(environment).items())),
    )
    if key not in _processes:
        _processes[key] = Warm(packages, withheld, limits, environment)
    return _processes[key]


def forget(warm: Warm) -> None:
    """End a process that does not fork any more."""
    for key in [key for key, known in _processes.items() if known is warm]:
        del _processes[key]
    warm.close()


def packages(imported: Sequence[str]) -> list[str]:
    """What is worth importing before the fork, for a lab whose notebook imports some modules."""
    tops = {name.partition(".")[0] for name in imported}
    heavy = [name for name in _HEAVY if "labkit" in tops or name.partition(".")[0] in tops]
    return [*_ALWAYS, *heavy]
