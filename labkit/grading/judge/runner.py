"""Runs one notebook in a worker: tests in the judge's process, all other cells in the kernel.

What a cell is, and what a test says, comes with the `Task`, from the gradebook: what the notebook
says of itself, its cells' flags included, is the student's and decides nothing here.

The hidden text is not sent to the kernel. It does stand in the notebook file in `autograded/`,
where nbgrader puts it before the run; the sandbox shows the kernel no such file.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_output
from nbgrader.preprocessors import Execute as StockExecute
from nbgrader.preprocessors.execute import UnresponsiveKernelError
from traitlets import Bool, Enum, Float, Integer

from labkit.grading.judge import process
from labkit.grading.judge.clock import Clock
from labkit.grading.judge.verdict import TEST_STOPPED, Verdict
from labkit.grading.report import Run
from labkit.grading.sandbox import packages, prefork
from labkit.grading.sandbox.kernels import BoundedKernelManager, SandboxedKernelManager
from labkit.grading.sandbox.limits import Limits
from labkit.grading.sandbox.monitor import Monitor
from labkit.grading.task import Result, Task

_PATIENCE = 2.0  # seconds for a kernel to come to rest, by itself and after each interruption
_STARVED = 0.1  # of its time that a submission waited for a processor, when others ran beside it
_FLOOD = 10  # how many times the outputs' limit a kernel may say before it is ended
_AT_ONCE = 100  # messages of a kernel that are thrown away in one go


def perform(task: Task, cell_done: Callable[[], None] = lambda: None) -> Result:
    """Run and judge a notebook; there always is a result.

    Args:
        task: the notebook, and what the gradebook says of it.
        cell_done: called after each cell.
    """
    runner = Runner(task, cell_done)
    try:
        # As text and back: nothing but plain data, whatever the kernel's messages were made of.
        plain = json.loads(json.dumps(runner.run(), default=repr))
    except Exception as error:
        runner.log.exception("The notebook could not be run")
        return Result(error=_why(error), cold=runner.cold, lost=True, crowded=runner.crowded)
    return Result(
        plain, asdict(runner.seen), cold=runner.cold, lost=runner.lost, crowded=runner.crowded
    )


def _why(error: Exception) -> str:
    if isinstance(error, DeadKernelError):
        return "The kernel died while the notebook ran: out of memory, or ended by it."
    if isinstance(error, UnresponsiveKernelError):
        return "The kernel no longer answered and could not be interrupted."
    if isinstance(error, RuntimeError) and str(error).startswith("Kernel "):  # nbclient's
        return "The kernel did not start: is there a file beside the notebook in its way?"
    return f"Grading ended early ({type(error).__name__})."


class Settings(StockExecute):
    """What can be set of the run: nbgrader's own settings, and those below.

    `timeout` is the seconds for a cell, which for a test bounds all its questions together.
    """

    sandbox = Enum(
        ("auto", "none"),
        "auto",
        help="auto runs the student's code in a sandbox, and nothing where there is none; "
        "none runs it as you, with your files and your network.",
    ).tag(config=True)
    total_timeout = Float(1800.0, help="Seconds that a notebook may take in all.").tag(config=True)
    memory_limit = Integer(
        Limits.memory,
        help="Bytes that the processes of a notebook in the sandbox may take together.",
    ).tag(config=True)
    process_limit = Integer(
        Limits().processes,
        help="Processes and threads that a notebook in the sandbox may have together.",
    ).tag(config=True)
    max_output = Integer(
        20_000_000,
        help="Characters of the outputs of a notebook together; what comes after is left out.",
    ).tag(config=True)
    prefork = Bool(
        True,
        help="Fork the kernels from a process that has imported the lab's packages, rather than "
        "start each anew.",
    ).tag(config=True)


class Runner(Settings):
    """Runs a submission's notebook.

    Args:
        task: the notebook and what is known of it.
        cell_done: called after each cell.
    """

    def __init__(self, task: Task, cell_done: Callable[[], None]) -> None:
        super().__init__(**task.settings)
        self._task, self._cell_done = task, cell_done
        self.cold: str | None = None  # why kernels are not forked
        self.lost = False  # a process ended that nobody here has ended
        self.crowded = False  # it may have lost marks to what ran beside it
        self.seen = Run("none" if self.sandbox == "none" else "bubblewrap")
        self._stopped: str | None = None  # why the kernel is asked nothing any more
        self._began = time.monotonic()
        self._room = self.max_output
        self._monitor = Monitor(None)
        self._clock = Clock(None, None)
        self.on_notebook_start = self._watch_kernel
        self.timeout_func = self._seconds
        self.shutdown_kernel = "immediate"
        self._lab = None if task.lab is None else Path(task.lab)
        self._verdicts: dict[int, list[NotebookNode]] = {}
        sandboxed = self.sandbox == "auto"
        self.kernel_manager_class = SandboxedKernelManager if sandboxed else BoundedKernelManager

    def run(self) -> NotebookNode:
        """Run all cells; a kernel that dies costs the cells after it, not the submission."""
        book = from_dict(self._task.notebook)
        try:
            done, _ = self.preprocess(book, {"metadata": {"path": self._task.work}})
        finally:
            self._monitor.stop()
            self.crowded = self.crowded or self._monitor.crowded
        # Only now: while cells run, the kernel can change outputs that it has shown before.
        for index, outputs in self._verdicts.items():
            done.cells[index].outputs = outputs
            done.cells[index].execution_count = None
        self._note_what_was_seen()
        return done

    def create_kernel_manager(self) -> Any:
        """A manager of a kernel; one in the sandbox is told what the lab withholds."""
        manager = super().create_kernel_manager()
        if isinstance(manager, SandboxedKernelManager):
            manager.withheld = self._task.withheld
            if self._task.packages is not None:
                wanted = tuple(self._task.packages), tuple(self._task.modules)
                manager.wanted = packages.Wanted(*wanted)
            manager.limits = Limits(memory=self.memory_limit, processes=self.process_limit)
            if self.prefork:
                manager.fork = self._fork
        return manager

    def _fork(
        self,
        manager: SandboxedKernelManager,
        command: Sequence[str],
        work: Path,
        environment: Mapping[str, str],
    ) -> prefork.Forked | None:
        """A kernel from a process that waits to be forked; from a new one if that has ended."""
        modules = prefork.worth_importing(self._task.modules)
        for _ in range(2):
            parent = prefork.server(
                modules, manager.withheld, manager.wanted, manager.limits, os.environ
            )
            try:
                return parent.fork(manager, command, work, environment)
            except prefork.ForkFailed as error:
                self.cold = str(error)
                prefork.forget(parent)
        return None

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Judge a test, or run any other cell."""
        done = self._cell(cell, resources, index)
        self._cell_done()
        return done, resources

    def _cell(self, cell: NotebookNode, resources: Any, index: int) -> NotebookNode:
        test = self._task.tests.get(index)
        if test is None or not self._speaks_python():
            self._run(cell, resources, index)
            return cell
        verdict = self._judge(test)
        if index in self._task.released:
            self._run(new_code_cell(self._task.released[index]), resources, index)
            self.nb.cells[index] = cell  # the outcome counts for nothing
        self._verdicts[index] = verdict.outputs(float(cell.metadata.nbgrader["points"]))
        return cell

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take in what the kernel says, as long as there is room for it."""
        self._room -= _size(msg["content"]) + sum(map(len, msg.get("buffers", [])))
        if self._room < -_FLOOD * self.max_output:
            # nbclient reads on and on, and would not come to look at the clock.
            self._monitor.end("the submission put out more than can be read")
        if self._room < 0 and msg["msg_type"] != "status":
            return None
        return super().process_message(msg, cell, cell_index)

    def _watch_kernel(self, notebook: NotebookNode) -> None:
        started = self.km.provisioner.process
        if isinstance(self.km, SandboxedKernelManager):
            limits = self.km.limits
            self._monitor = Monitor(started, limits.memory, limits.processes, self.km.group)
        else:
            self._monitor = Monitor(started)

    def _ended(self) -> str:
        """Why the kernel can be asked nothing any more; if it still runs, it is ended."""
        self._monitor.stop()
        # A process that Linux kills has closed its sockets a while before it is gone.
        if self._monitor.ended is None and self.kc.is_lost() and self._is_running():
            run_sync(self.km.shutdown_kernel)(now=True)
            return "the submission said more at once than can be read"
        self.lost = self._monitor.ended is None
        return self._monitor.ended or "the submission ended its kernel"

    def _is_running(self) -> bool:
        return bool(run_sync(self.km.is_alive)())

    def _note_what_was_seen(self) -> None:
        seen = self.seen
        seen.peak_memory = self._monitor.peak
        took = time.monotonic() - self._began
        seen.kernel_seconds = took - seen.cells_seconds - seen.tests_seconds
        if self._stopped:
            seen.flags.append(f"The kernel was stopped early: {self._stopped}.")
        if self._room < 0:
            seen.flags.append(
                f"Outputs of more than {self.max_output / 1e6:g} million characters: the rest was "
                "left out."
            )

    def _seconds(self, cell: NotebookNode | None = None) -> float:
        """Seconds that the next cell may take; they begin now."""
        left = max(0.1, self._began + self.total_timeout - time.monotonic())
        seconds = min(left, self.timeout) if self.timeout and self.timeout > 0 else left
        self._clock = Clock(self._pid(), seconds)
        return seconds

    async def _async_handle_timeout(
        self, timeout: int, cell: NotebookNode | None = None
    ) -> dict[str, Any] | None:
        """As nbclient does, but for the time in which the cell had to wait for a processor."""
        while (left := self._clock.left()) > 0:
            try:
                message = await self.kc.shell_channel.get_msg(timeout=min(left, 1.0))
            except Empty:
                await self._async_check_alive()
                continue
            if message["msg_type"] == "execute_reply":
                return message
        self._note_starvation(self._clock.starved())
        return await super()._async_handle_timeout(timeout, cell)

    def _note_starvation(self, seconds: float) -> None:
        """Time is over; was it because of what ran beside it?"""
        limit = self._clock.limit or 0.0
        self.crowded = self.crowded or seconds > _STARVED * limit

    def _pid(self) -> int | None:
        """The process of the kernel itself: in the sandbox, the child of the first one."""
        if not isinstance(self.km, SandboxedKernelManager):
            return getattr(self.km.provisioner, "pid", None)
        first = self.km.inside
        try:
            return int(Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split()[0])
        except (OSError, LookupError):
            return None

    def _may_go_on(self) -> bool:
        if self._stopped is None and time.monotonic() > self._began + self.total_timeout:
            self._stopped = f"the submission took more than {self.total_timeout:g} seconds in all"
        return self._stopped is None

    def _judge(self, test: str) -> Verdict:
        if not self._may_go_on():
            return Verdict(error=("SubmissionStopped", self._stopped or ""))
        began = time.monotonic()
        seconds = self._seconds()
        verdict = process.for_lab(self._lab).judge(
            test,
            {**self.km.get_connection_info(), "pid": self._pid()},
            seconds,
            self._task.imports,
            meanwhile=self._look_after_kernel,
        )
        if verdict.broken:
            self._note_starvation(verdict.starved)
            self._recover()
        if verdict.error and verdict.error[0] == TEST_STOPPED:
            self.lost = True
            self.seen.flags.append("A test was not judged: its own process ended.")
        self.seen.tests_seconds += time.monotonic() - began
        return verdict

    def _run(self, cell: NotebookNode, resources: Any, index: int) -> None:
        """Run a cell in the kernel, which may not survive it."""
        if not self._may_go_on():
            return
        began = time.monotonic()
        try:
            run_sync(self.kc.hear_again)()
            super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            self._stopped = self._ended()
        except Exception as error:
            # Whatever the student's messages do to nbclient; the scores so far are to be kept.
            self.log.warning("Cell %d could not be run: %s", index, error)
            self._recover()
        else:
            if any(output.get("ename") == "CellTimeoutError" for output in cell.get("outputs", [])):
                self._recover()
            return
        finally:
            self.seen.cells_seconds += time.monotonic() - began
        sentence = self._stopped or "the cell could not be run to its end"
        cell.outputs = [
            new_output("error", ename="SubmissionStopped", evalue=sentence, traceback=[sentence])
        ]
        self.nb.cells[index] = cell

    def _look_after_kernel(self) -> str | None:
        """While a test is judged: read what the kernel says into the void, see that it lives."""
        for _ in range(_AT_ONCE):
            try:
                run_sync(self.kc.iopub_channel.get_msg)(timeout=0)
            except Empty:
                break
            except Exception:
                continue  # a kernel may say anything, also what is no message
        if not self._is_running():
            self._stopped = self._ended()
        return self._stopped

    def _recover(self) -> None:
        """Bring a kernel to rest that was busy when time ran out, or give it up."""
        for attempt in range(4):
            if not run_sync(self.kc.is_alive)():
                self._stopped = self._ended()
                return
            # Not at once: an interruption of a kernel that is about to answer spoils the answer.
            if attempt:
                run_sync(self.km.interrupt_kernel)()
            if run_sync(self._answers)():
                return
        self.log.warning("The kernel does not stop when interrupted; it is ended")
        self._stopped = "the submission's code did not stop when its time was over"
        run_sync(self.km.shutdown_kernel)(now=True)

    async def _answers(self) -> bool:
        """Whether the kernel answers soon."""

        async def wait() -> None:
            while True:
                try:
                    message = await self.kc.shell_channel.get_msg(timeout=_PATIENCE)
                except ValueError:
                    continue  # an answer that an interruption has spoilt
                if message["parent_header"].get("msg_id") == asked:
                    return

        try:
            asked = self.kc.kernel_info()
            await asyncio.wait_for(wait(), _PATIENCE)
        except (Empty, TimeoutError, zmq.Again):
            return False
        return True

    def _speaks_python(self) -> bool:
        """Only Python has a judge; tests in other languages run in their kernel, as in nbgrader."""
        return self.km.kernel_spec.language.lower() == "python"


def _size(content: Any) -> int:
    """About how many characters a message takes."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(len(key) + _size(value) for key, value in content.items())
    if isinstance(content, list):
        return sum(map(_size, content))
    return 8
