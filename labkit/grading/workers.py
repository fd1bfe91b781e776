"""The processes that run notebooks: some of this machine's own, or those of a dask cluster.

Each has `perform(task, cell_done)`, which may be called from one thread at a time, and `close()`.
A worker that ends before it has a result, or loses a process of its own, is given the task once
more. One that does not come to an end in time is ended from here: what a submission may do to the
worker that runs it, it cannot do to the clock of another process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import IO, Any, Protocol

from labkit.errors import InputError
from labkit.grading.task import Result, Task
from labkit.grading.worker import CELL_DONE

_TRIES = 2
_EXECUTION = {"NBGRADER_EXECUTION": "autograde"}  # as nbgrader tells its kernels
_LOST = Result(
    error="The process that graded it ended twice: out of memory, or ended from outside."
)
# Seconds beside those that a submission may take: to start and end its kernel, and for a test that
# computes itself. The worker has clocks of its own, and is late only if it is stuck.
_GRACE = 180.0


class Stopped(Exception):
    """Grading is being stopped; there is no result."""


class Worker(Protocol):
    """Runs and judges notebooks."""

    def perform(self, task: Task, cell_done: Callable[[], None]) -> Result:
        """The result of a task; `cell_done` is called after each cell, as far as that is known.

        Raises:
            Stopped: it has been closed.
        """

    def close(self) -> None:
        """End it, also in the middle of a task."""


class Local:
    """A process on this machine, started when first needed.

    Args:
        log: where its log goes; where this process's errors go if None.
    """

    def __init__(self, log: IO[Any] | None = None) -> None:
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self._starting = threading.Lock()
        # Of its own, so that what it leaves there when it is killed is removed all the same.
        self._scratch = tempfile.TemporaryDirectory(prefix="labkit-", ignore_cleanup_errors=True)

    def perform(self, task: Task, cell_done: Callable[[], None]) -> Result:
        """See `Worker`."""
        result = _LOST
        for _ in range(_TRIES):
            with _alarm(task.seconds + _GRACE, self._kill) as overdue:
                answer = self._ask(task.to_json(), cell_done)
            if self._closed:
                raise Stopped
            if overdue.is_set():
                self._end()
                return Result(error=_overdue(task.seconds))
            if answer is None:
                self._end()
                result = _LOST
                continue
            result = Result.from_json(answer)
            # It may have been the submission, or somebody short of memory: the second time it was.
            if not result.lost:
                break
        return result

    def close(self) -> None:
        """See `Worker`."""
        with self._starting:
            self._closed = True
        self._end()
        self._scratch.cleanup()

    def _ask(self, line: str, cell_done: Callable[[], None]) -> str | None:
        """The line of the result; None if the process ended."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            while (said := process.stdout.readline()).endswith("\n"):
                if said != CELL_DONE + "\n":
                    return said
                cell_done()
        except (OSError, ValueError):  # it has ended, or was closed
            pass
        return None

    def _started(self) -> subprocess.Popen[str]:
        with self._starting:
            if self._closed:
                raise Stopped
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "labkit.grading.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    text=True,
                    encoding="utf-8",
                    env=os.environ | _EXECUTION | {"TMPDIR": self._scratch.name},
                    start_new_session=True,  # Ctrl-C is for this process, which ends the others
                )
            return self._process

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            process.kill()

    def _end(self) -> None:
        """End the process: gently when it is idle, so that its own processes end in order."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):  # it has ended, and left something unread
                process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _overdue(seconds: float) -> str:
    return f"It took more than {seconds:g} seconds in all, and could not be stopped in order."


@contextlib.contextmanager
def _alarm(seconds: float, action: Callable[[], None]) -> Iterator[threading.Event]:
    """Does something when the time is over; the event tells whether it was."""
    rang = threading.Event()

    def ring() -> None:
        rang.set()
        action()

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield rang
    finally:
        timer.cancel()


class Cluster:
    """The workers of a dask cluster, which see the course folder under the same path.

    Args:
        address: of its scheduler, for instance "tcp://10.0.0.1:8786".
        seconds: that it has to answer.

    Raises:
        InputError: there is no dask, no scheduler at the address, or it has no workers.
    """

    def __init__(self, address: str, seconds: float = 10.0) -> None:
        if find_spec("distributed") is None:
            raise InputError("--scheduler needs dask: pip install 'labkit[cluster]'")
        from distributed import Client

        try:
            self._client = Client(address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(f"no dask scheduler answers at {address}: {error}") from error
        self.size = sum(self._client.nthreads().values())
        if self.size == 0:
            self.close()
            raise InputError(f"the scheduler at {address} has no workers: start `dask worker`")

    def perform(self, task: Task, cell_done: Callable[[], None]) -> Result:
        """See `Worker`. How far a worker has come is not known before it is done."""
        from distributed import CancelledError

        future = self._client.submit(_on_a_node, task.to_json(), pure=False)
        try:
            result = Result.from_json(future.result())
        except CancelledError:
            raise Stopped from None
        except Exception as error:  # it was lost with several workers, or is not installed there
            return Result(error=f"The cluster could not run it ({type(error).__name__}).")
        for _ in task.notebook["cells"]:
            cell_done()
        return result

    def close(self) -> None:
        """See `Worker`."""
        self._client.close()


_here: Local | None = None
_one_at_a_time = threading.Lock()


def _on_a_node(task: str) -> str:
    """Runs in a worker of the cluster, which has a process of its own for it, as this one has."""
    global _here
    with _one_at_a_time:
        if _here is None:
            _here = Local()
            atexit.register(_here.close)
        return _here.perform(Task.from_json(task), lambda: None).to_json()


def workers(jobs: int, scheduler: str | None, log: IO[Any] | None) -> Sequence[Worker]:
    """Workers, as many as there are to be at a time.

    Args:
        jobs: processes on this machine.
        scheduler: address of a cluster, in place of them.
        log: where the log of local ones goes.
    """
    if scheduler is None:
        return [Local(log) for _ in range(jobs)]
    cluster = Cluster(scheduler)
    return [cluster] * cluster.size
