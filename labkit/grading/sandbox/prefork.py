"""Kernels forked from a process in the sandbox that has imported the heavy packages already.

`ForkServer` is that process as it is seen from outside; inside runs `forkserver.py`. A kernel that
it forks is as confined as one in a sandbox of its own, and half a second away instead of three.
"""

from __future__ import annotations

import atexit
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

from labkit.grading.sandbox import bubblewrap, kernels, packages, seccomp
from labkit.grading.sandbox.limits import Limits

_START = 120.0  # seconds for all imports; a file cache may be cold
_FORK = 30.0
_FORKSERVER = Path(__file__).with_name("forkserver.py")
# Not as a script: its folder would be where modules are looked for first.
_RUN = "import sys; exec(compile(open(sys.argv.pop(1)).read(), 'forkserver', 'exec'))"
_LAUNCHER = ("-m", "ipykernel_launcher")
_REQUEST = "/run/submission"
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


class ForkFailed(Exception):
    """No kernel can be forked; the message says why."""


class ForkServer:
    """A process in the sandbox from which kernels are forked, one after another.

    Args:
        modules: what it imports before it forks.
        withheld: modules of labkit that are not to be seen inside.
        wanted: the only packages that are to be seen; None for all that are installed.
        limits: of each kernel.
        environment: of the instructor; only known variables cross.
    """

    def __init__(
        self,
        modules: Sequence[str],
        withheld: Sequence[str],
        wanted: packages.Wanted | None,
        limits: Limits,
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
        bubblewrap.make_readable(self._requests)
        command = bubblewrap.command(
            [sys.executable, "-c", _RUN, str(_FORKSERVER), *modules],
            shown=["--ro-bind", str(self._requests), _REQUEST],
            variables=bubblewrap.variables(environment) | backend,
            limits=limits,
            covers=kernels.covers(withheld, wanted, covers),
            hides_settings=False,
        )
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,  # so that `close` reaches all that starts it
            )

    def fork(
        self,
        manager: kernels.SandboxedKernelManager,
        command: Sequence[str],
        work: Path,
        environment: Mapping[str, str],
    ) -> Forked:
        """A kernel whose working folder starts with the files of a folder.

        Raises:
            ForkFailed: this process has ended, or cannot fork.
        """
        if tuple(command[1:3]) != _LAUNCHER:
            raise ForkFailed(f"the kernel {manager.kernel_name} is not Python's own")
        if not self._ready:
            self._hear(b"ready", _START)
            self._ready = True
        self._put(manager, command[3:], work, environment)
        self._say(b"fork")
        first = self._hear(b"forked", _FORK)
        if manager.group is not None:  # before anything of a submission runs
            try:
                manager.group.add(first)
            except OSError as error:
                raise ForkFailed(f"the fork cannot be put into a control group: {error}") from None
        self._say(b"go")
        self._hear(b"runs", _FORK)
        return Forked(first)

    def close(self) -> None:
        """End it, and the kernel that it has forked last."""
        self._control.close()
        # All of its session: bubblewrap's processes are bound to each other's end only after a
        # while, and one that is killed before that would leave the next behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._home.cleanup()

    def _say(self, what: bytes) -> None:
        with contextlib.suppress(OSError):  # it has ended, as `_hear` finds out
            self._control.send(what)

    def _hear(self, expected: bytes, seconds: float) -> int:
        """Wait for a message; the number, outside, of the process that sent it."""
        self._control.settimeout(seconds)
        try:
            said, about, *_ = self._control.recvmsg(2048, socket.CMSG_SPACE(_CREDENTIALS.size))
        except OSError as error:
            raise ForkFailed(str(error) or type(error).__name__) from None
        if said != expected:
            raise ForkFailed(said.decode("utf-8", "replace") or "the process they fork from ended")
        return int(_CREDENTIALS.unpack(about[0][2])[0])

    def _put(
        self,
        manager: kernels.SandboxedKernelManager,
        arguments: Sequence[str],
        work: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Write what the next fork is to be, in place of what the last one was."""
        files = self._requests / "files"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        kernels.copy_handed_in(work, files)
        shutil.copyfile(manager.connection_file, self._requests / "connection.json")
        request = {
            "arguments": [manager.seen_inside(word) for word in arguments],
            "connection_file": manager.seen_inside(manager.connection_file),
            "environment": dict(environment),
            "home": bubblewrap.HOME,
            "in_memory": bubblewrap.in_memory(self._limits),
            "most_files": self._limits.files,
            "seccomp": (seccomp.program() or b"").hex(),
        }
        (self._requests / "request.json").write_text(json.dumps(request), "utf-8")
        bubblewrap.make_readable(self._requests)


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
            raise ForkFailed(f"the fork cannot be watched: {error}") from None

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


_servers: dict[tuple, ForkServer] = {}


def server(
    modules: Sequence[str],
    withheld: Sequence[str],
    wanted: packages.Wanted | None,
    limits: Limits,
    environment: Mapping[str, str],
) -> ForkServer:
    """The process to fork from for labs that ask for the same."""
    key = (
        tuple(modules),
        tuple(withheld),
        wanted,
        limits,
        tuple(sorted(bubblewrap.variables(environment).items())),
    )
    if key not in _servers:
        _servers[key] = ForkServer(modules, withheld, wanted, limits, environment)
    return _servers[key]


def forget(failed: ForkServer) -> None:
    """End a process that does not fork any more."""
    for key in [key for key, known in _servers.items() if known is failed]:
        del _servers[key]
    failed.close()


@atexit.register
def close() -> None:
    """End all of them, and the kernels that they have forked."""
    for known in list(_servers.values()):
        forget(known)


def worth_importing(imported: Sequence[str]) -> list[str]:
    """What is worth importing before the fork, for a lab whose notebook imports some modules."""
    tops = {name.partition(".")[0] for name in imported}
    heavy = [name for name in _HEAVY if "labkit" in tops or name.partition(".")[0] in tops]
    return [*_ALWAYS, *heavy]
