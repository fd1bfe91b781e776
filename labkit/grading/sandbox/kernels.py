"""How nbclient starts a kernel in the sandbox, and speaks to it.

`SandboxedKernelManager` starts kernels through `SandboxedProvisioner`, which puts the sandbox's
command in front of the kernel's, or takes a kernel that was forked inside such a sandbox
(`prefork`). There is no network, so both speak through sockets in a small folder in memory inside.
They are reached by way of /proc: nothing of the host's disk can be written.

What a kernel says is bounded, and nothing is sent to one in a way that could wait for ever: a
kernel decides whether its end of a connection stands.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from labkit.errors import InputError
from labkit.grading.sandbox import bubblewrap, cgroups, packages, seccomp, withheld
from labkit.grading.sandbox.limits import Limits

PROVISIONER = "labkit-sandbox"
MESSAGE = 32 << 20  # bytes of the largest message of a kernel that is read
_WAITING = 4  # messages that may wait to be read; the kernel throws away what comes after
_SENDING = 5_000  # milliseconds that sending may wait
_AGAIN = 10.0  # seconds until a new connection must be heard on
_HANDED_IN = "/run/submission"
# Copies what was handed in, so that it can be written to, and becomes the kernel.
_COPY_AND_RUN = 'cp -R "$1/." . && shift && exec "$@"'


def handed_in(work: Path) -> Iterator[Path]:
    """The regular files of a folder that are copied into the working folder.

    Notebooks stay outside: the one that is graded holds the hidden tests. Links are not followed,
    as they may lead anywhere.
    """
    for path in sorted(work.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix != ".ipynb":
            yield path


def copy_handed_in(work: Path, folder: Path) -> None:
    """Copy the files of a folder that are shown inside, as files of their own."""
    for path in handed_in(work):
        target = folder / path.relative_to(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


def covers(
    modules: Collection[str], wanted: packages.Wanted | None, folder: Path
) -> dict[Path, Path]:
    """What is not to be seen inside, each with what lies in its place.

    Args:
        modules: of labkit, which the lab withholds.
        wanted: the only packages that are to be seen; None for all that are installed.
        folder: where what lies in their places is made.
    """
    found = withheld.covers(modules, folder)
    if wanted is not None:
        found |= packages.covers(wanted, folder)
    bubblewrap.make_readable(folder)
    return found


class SandboxedProvisioner(LocalProvisioner):
    """Launches a kernel in the sandbox; everything else is as for a kernel outside."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel if there is something to fork it from, or start it in a sandbox.

        Raises:
            InputError: there is no sandbox here.
        """
        if reason := bubblewrap.why_not():
            raise InputError(reason)
        manager: Any = self.parent
        work = Path(kwargs.pop("cwd", None) or manager.folder)
        environment = bubblewrap.variables(kwargs.get("env") or os.environ)
        manager.group = cgroups.create(manager.limits)
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
        shown, hidden = manager.folder / "shown", manager.folder / "covers"
        for folder in (shown, hidden):
            folder.mkdir()
        copy_handed_in(work, shown)
        file = manager.folder / "connection" / "connection.json"
        file.parent.mkdir()
        file.write_bytes(Path(manager.connection_file).read_bytes())
        for folder in (shown, file.parent):
            bubblewrap.make_readable(folder)
        reads, writes = os.pipe()
        with os.fdopen(reads) as answer, os.fdopen(writes, "w") as info, _filter() as program:
            command = bubblewrap.command(
                ["/bin/sh", "-c", _COPY_AND_RUN, "sh", _HANDED_IN]
                + [manager.seen_inside(word) for word in cmd],
                shown=[
                    *("--ro-bind", str(shown), _HANDED_IN),
                    *("--ro-bind", str(file), manager.seen_inside(manager.connection_file)),
                ],
                variables=environment,
                limits=manager.limits,
                covers=covers(manager.withheld, manager.wanted, hidden),
                seccomp=program,
            )
            place = _last(command, "bwrap") + 1
            command[place:place] = ["--info-fd", str(writes)]
            joined = manager.group.join_command() if manager.group else []
            launched = await super().launch_kernel(
                [*joined, *command],
                **kwargs
                | {
                    "pass_fds": (writes, *filter(None, [program])),
                    "env": {},  # bubblewrap's own can be read inside: it is process 1
                    # A terminal obeys what is written to it, so the kernel gets none.
                    "stdout": subprocess.DEVNULL,
                    "stderr": subprocess.DEVNULL,
                },
            )
            info.close()
            manager.inside = _first_process(answer.read())
        return launched


def _last(command: Sequence[str], program: str) -> int:
    """Where a program stands last in a command."""
    return max(place for place, word in enumerate(command) if Path(word).name == program)


@contextlib.contextmanager
def _filter() -> Iterator[int | None]:
    """A descriptor from which the filter of system calls can be read; None if there is none."""
    program = seccomp.program()
    if program is None:
        yield None
        return
    with tempfile.TemporaryFile(prefix="labkit-") as file:
        file.write(program)
        file.seek(0)
        yield file.fileno()


def _first_process(info: str) -> int:
    """The number, outside, of the sandbox's first process.

    Raises:
        InputError: bubblewrap ended before it began.
    """
    try:
        return int(json.loads(info)["child-pid"])
    except (ValueError, LookupError):
        raise InputError("bubblewrap could not set up the sandbox: try `labkit doctor`") from None


def _cold(*_: Any) -> None:
    """Fork nothing."""


class BoundedKernelClient(AsyncKernelClient):
    """Goes to work as soon as the kernel answers, and notices when it can be asked no more.

    It has no channel for input, which no notebook may ask for: what a kernel sent there would wait
    in memory.
    """

    def start_channels(self, *_: Any, **__: Any) -> None:
        """Connect what the run of a notebook needs."""
        super().start_channels(stdin=False, hb=False)
        self._answers = _Disconnections(self.shell_channel.socket)
        self._outputs = _Disconnections(self.iopub_channel.socket)

    def stop_channels(self) -> None:
        """Let go of the sockets; jupyter_client's own would make those that are missing."""
        for watch in (self._answers, self._outputs):
            watch.close()
        for channel in (self._shell_channel, self._iopub_channel, self._control_channel):
            if channel is not None:
                channel.stop()

    def is_lost(self) -> bool:
        """Whether the kernel can be asked no more, since its answer was larger than may be read.

        ZeroMQ then drops the connection for good, and would wait for ever to send on it.
        """
        return self._answers.any()

    async def is_alive(self) -> bool:
        """Whether the kernel runs and can be asked."""
        return not self.is_lost() and await super().is_alive()

    async def hear_again(self) -> None:
        """Connect to what the kernel puts out again, if an output was larger than may be read.

        Raises:
            RuntimeError: the kernel has ended.
        """
        if self._outputs.any():
            self._outputs.close()
            self.iopub_channel.stop()
            self._iopub_channel = None
            self.iopub_channel.start()
            self._outputs = _Disconnections(self.iopub_channel.socket)
            await self.wait_for_ready(_AGAIN)

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


class _Disconnections:
    """Notes whether the connection of a socket has ended."""

    def __init__(self, socket: zmq.asyncio.Socket) -> None:
        self._socket: zmq.SyncSocket = zmq.Socket.shadow(socket.underlying)
        self._happened = False
        address = f"inproc://labkit-{id(self)}"
        self._socket.monitor(address, zmq.EVENT_DISCONNECTED)
        context: zmq.SyncContext = zmq.Context.shadow(socket.context.underlying)
        self._events = context.socket(zmq.PAIR)
        self._events.connect(address)

    def any(self) -> bool:
        """Whether it has."""
        self._happened = self._happened or bool(self._events.poll(0))
        return self._happened

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(zmq.ZMQError):  # the socket is closed
            self._socket.disable_monitor()
        self._events.close(linger=0)


class BoundedKernelManager(AsyncKernelManager):
    """Starts kernels, and speaks to them so that none can make this process large or wait."""

    client_factory = BoundedKernelClient

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.context.setsockopt(zmq.SNDTIMEO, _SENDING)  # of the socket for interruptions

    def client(self, **kwargs: Any) -> Any:
        """A client that holds no more of what the kernel says than fits into memory."""
        client = super().client(**kwargs)
        for option, value in (  # of the sockets that it will open
            (zmq.MAXMSGSIZE, MESSAGE),
            (zmq.RCVHWM, _WAITING),
            (zmq.SNDTIMEO, _SENDING),
        ):
            client.context.setsockopt(option, value)
        return client


class SandboxedKernelManager(BoundedKernelManager):
    """Starts kernels in the sandbox, whatever their kernelspec says.

    `fork(manager, command, folder, environment)` may give a kernel that runs already, as `Popen`
    would; None has one started.
    """

    fork: Callable[..., Any] = staticmethod(_cold)
    limits = Limits()
    withheld: Sequence[str] = ()  # modules of labkit, by their dotted names
    wanted: packages.Wanted | None = None  # the only packages that are to be seen
    group: cgroups.Group | None = None  # of the kernel's processes
    inside = 0  # number of the sandbox's first process

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = tempfile.TemporaryDirectory(prefix="labkit-")
        self.folder = Path(self._folder.name)
        self.transport = "ipc"
        self.ip = f"{bubblewrap.SOCKETS}/socket"
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
        return word.replace(str(self.folder), bubblewrap.SOCKETS)

    async def _async_post_start_kernel(self, **kwargs: Any) -> None:
        """From here on speak to the sockets inside, as they are seen from outside."""
        self.ip = f"/proc/{self.inside}/root{bubblewrap.SOCKETS}/socket"
        await super()._async_post_start_kernel(**kwargs)

    post_start_kernel = _async_post_start_kernel  # type: ignore[assignment]

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        """Remove the folder of the connection file, and the kernel's control group."""
        await super()._async_cleanup_resources(restart)
        if not restart:
            if self.group is not None:
                self.group.close()
            self._folder.cleanup()

    cleanup_resources = _async_cleanup_resources  # type: ignore[assignment]
