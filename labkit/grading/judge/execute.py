"""nbgrader's `Execute`, with graded cells judged outside the student's kernel.

Every cell that carries no points runs in the kernel as ever. A test runs in the judge's process,
and its text is the gradebook's: what the notebook says of itself, its cells' flags included, is
the student's and decides nothing here.

The hidden text is not sent to the kernel. It does stand in the notebook file in `autograded/`,
where nbgrader puts it before the run; the jail shows the kernel no such file.
"""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.preprocessors import Execute as StockExecute
from traitlets import Enum, Float, Integer

from labkit.errors import InputError
from labkit.grading import notebooks
from labkit.grading.jail import JailedKernelManager, Limits
from labkit.grading.judge import process
from labkit.grading.judge.verdict import Verdict
from labkit.grading.report import Run
from labkit.grading.watch import Watch

_PATIENCE = 2.0  # seconds for a kernel to come to rest, by itself and after each interruption
_FLOOD = 10  # how many times the outputs' limit a kernel may say before it is ended
_AT_ONCE = 100  # messages of a kernel that are thrown away in one go


class Execute(StockExecute):
    """Runs a submission: tests in the judge's process, all other cells in the kernel.

    Its settings are those of nbgrader's class of the same name, and those below. Its `timeout` is
    the seconds for a cell, which for a test bounds all its questions together.

    What is to be reported of the run is left in `resources["labkit"]`, a `Run`.
    """

    sandbox = Enum(
        ("auto", "none"),
        "auto",
        help="auto runs the student's code in a jail, and nothing where no jail can be had; "
        "none runs it as you, with your files and your network.",
    ).tag(config=True)
    total_timeout = Float(1800.0, help="Seconds that a notebook may take in all.").tag(config=True)
    memory_limit = Integer(
        Limits.memory, help="Bytes that the processes of a notebook in the jail may take together."
    ).tag(config=True)
    max_output = Integer(
        20_000_000,
        help="Characters of the outputs of a notebook together; what comes after is left out.",
    ).tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.sandbox == "auto":
            self.kernel_manager_class = JailedKernelManager

    def create_kernel_manager(self) -> Any:
        """A manager of a kernel; one in the jail is told what the lab withholds."""
        manager = super().create_kernel_manager()
        if isinstance(manager, JailedKernelManager):
            manager.withheld = self._withheld
            manager.limits = Limits(memory=self.memory_limit)
        return manager

    def preprocess(
        self, nb: NotebookNode, resources: Any, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run all cells; a kernel that dies costs the cells after it, not the submission."""
        self._stopped: str | None = None  # why the kernel is asked nothing any more
        self._seen = Run("none" if self.sandbox == "none" else "bubblewrap")
        self._began = time.monotonic()
        self._room = self.max_output
        self._watch = Watch(None)
        self.on_notebook_start = self._watch_kernel
        self.timeout_func = self._seconds
        self._tests = _tests_of(nb, resources)
        self._lab = self._folder(resources)
        source = None if self._lab is None else self._lab / f"{resources['unique_key']}.ipynb"
        self._imports = {} if source is None else _imports_of(source, _changed(source))
        self._withheld = [] if source is None else _withheld(source)
        self._ours = source is not None and _is_ours(source)
        self._verdicts: dict[int, list[NotebookNode]] = {}
        try:
            done, resources = super().preprocess(nb, resources, km)
        finally:
            self._watch.stop()
        # Only now: while cells run, the kernel can change outputs that it has shown before.
        for index, outputs in self._verdicts.items():
            done.cells[index].outputs = outputs
            done.cells[index].execution_count = None
        resources["labkit"] = self._what_was_seen()
        return done, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Judge a test, or run any other cell."""
        test = self._tests.get(index)
        if test is None or not self._speaks_python():
            self._run(cell, resources, index)
            return cell, resources
        verdict = self._judge(test)
        if not self._ours:
            # The later cells of a course not written for a judge may use names of its tests.
            self._release(test, resources, index)
            self.nb.cells[index] = cell
        self._verdicts[index] = verdict.outputs(float(cell.metadata.nbgrader["points"]))
        return cell, resources

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take in what the kernel says, as long as there is room for it."""
        self._room -= _size(msg["content"]) + sum(map(len, msg.get("buffers", [])))
        if self._room < -_FLOOD * self.max_output:
            # nbclient reads on and on, and would not come to look at the clock.
            self._watch.end("the submission put out more than can be read")
        if self._room < 0 and msg["msg_type"] != "status":
            return None
        return super().process_message(msg, cell, cell_index)

    def _watch_kernel(self, notebook: NotebookNode) -> None:
        jailed = isinstance(self.km, JailedKernelManager)
        limits = (self.km.limits.memory, self.km.limits.processes) if jailed else ()
        self._watch = Watch(self.km.provisioner.process, *limits)

    def _ended(self) -> str:
        """Why the kernel is no more."""
        return self._watch.ended or "the submission ended its kernel"

    def _what_was_seen(self) -> Run:
        seen = self._seen
        seen.peak_memory = self._watch.peak
        if self._stopped:
            seen.flags.append(f"The kernel was stopped early: {self._stopped}.")
        if self._room < 0:
            seen.flags.append(
                f"Outputs of more than {self.max_output / 1e6:g} million characters: the rest was "
                "left out."
            )
        return seen

    def _seconds(self, cell: NotebookNode | None = None) -> float:
        """Seconds that the next cell may take."""
        left = max(0.1, self._began + self.total_timeout - time.monotonic())
        return min(left, self.timeout) if self.timeout and self.timeout > 0 else left

    def _may_go_on(self) -> bool:
        if self._stopped is None and time.monotonic() > self._began + self.total_timeout:
            self._stopped = f"the submission took more than {self.total_timeout:g} seconds in all"
        return self._stopped is None

    def _judge(self, test: str) -> Verdict:
        if not self._may_go_on():
            return Verdict(error=("SubmissionStopped", self._stopped or ""))
        began = time.monotonic()
        verdict = process.for_lab(self._lab).judge(
            test,
            self.km.get_connection_info(),
            self._seconds(),
            self._imports,
            meanwhile=self._look_after_kernel,
        )
        if verdict.broken:
            self._recover()
        self._seen.tests_seconds += time.monotonic() - began
        return verdict

    def _run(self, cell: NotebookNode, resources: Any, index: int) -> None:
        """Run a cell in the kernel, which may not survive it."""
        if not self._may_go_on():
            return
        began = time.monotonic()
        try:
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
            self._seen.cells_seconds += time.monotonic() - began
        sentence = self._stopped or "the cell could not be run to its end"
        cell.outputs = [
            new_output("error", ename="SubmissionStopped", evalue=sentence, traceback=[sentence])
        ]
        self.nb.cells[index] = cell

    def _release(self, test: str, resources: Any, index: int) -> None:
        """Run the part of a test in the kernel that students were given; its outcome is nothing."""
        shown = new_code_cell(test, metadata={"nbgrader": {"grade": True}})
        try:
            ClearHiddenTests(parent=self).preprocess_cell(shown, resources, index)
        except RuntimeError:
            return  # delimiters that do not pair up: what is hidden cannot be told
        self._run(shown, resources, index)

    def _look_after_kernel(self) -> str | None:
        """While a test is judged: read what the kernel says into the void, see that it lives."""
        for _ in range(_AT_ONCE):
            try:
                run_sync(self.kc.iopub_channel.get_msg)(timeout=0)
            except Empty:
                break
            except Exception:
                continue  # a kernel may say anything, also what is no message
        if not run_sync(self.km.is_alive)():
            self._stopped = self._ended()
        return self._stopped

    def _recover(self) -> None:
        """Bring a kernel to rest that was busy when time ran out, or give it up."""
        for attempt in range(4):
            if not run_sync(self.km.is_alive)():
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
        asked = self.kc.kernel_info()

        async def wait() -> None:
            while True:
                try:
                    message = await self.kc.shell_channel.get_msg(timeout=_PATIENCE)
                except ValueError:
                    continue  # an answer that an interruption has spoilt
                if message["parent_header"].get("msg_id") == asked:
                    return

        try:
            await asyncio.wait_for(wait(), _PATIENCE)
        except (Empty, TimeoutError):
            return False
        return True

    def _speaks_python(self) -> bool:
        """Only Python has a judge; tests in other languages run in their kernel, as in nbgrader."""
        return self.km.kernel_spec.language.lower() == "python"

    def _folder(self, resources: Any) -> Path | None:
        """The lab's folder in source/, which no student has written to."""
        course = CourseDirectory(parent=self)
        lab = resources["nbgrader"]["assignment"]
        folder = Path(course.format_path(course.source_directory, ".", lab)).resolve()
        return folder if folder.is_dir() else None


def _tests_of(nb: NotebookNode, resources: Any) -> dict[int, str]:
    """The tests of a submission: the gradebook's text by the position of the cell.

    Flags in the notebook that say otherwise than the gradebook are mended on the way: a student
    who declares a written answer to be a test would have it run as one.
    """
    names = resources["nbgrader"]
    with Gradebook(names["db_url"]) as gradebook:
        known = gradebook.find_notebook(names["notebook"], names["assignment"])
        points = {cell.name: cell.max_score for cell in known.grade_cells}
        sources = {cell.name: cell for cell in known.source_cells}
        tests, seen = {}, set()
        for index, cell in enumerate(nb.cells):
            if "nbgrader" not in cell.metadata:
                continue
            name = notebooks.grade_id(cell)
            if name not in sources or name in seen:
                del cell.metadata["nbgrader"]  # nothing that this course knows of
                continue
            seen.add(name)
            flags, source = cell.metadata.nbgrader, sources[name]
            flags["grade"] = name in points
            if flags["grade"]:
                # Of the cells with points, the locked ones are tests, and the rest are answers.
                flags["solution"] = not source.locked
                flags["points"] = points[name]
            if flags["grade"] and source.locked and source.cell_type == "code":
                tests[index] = source.source
    return tests


def _size(content: Any) -> int:
    """About how many characters a message takes."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(len(key) + _size(value) for key, value in content.items())
    if isinstance(content, list):
        return sum(map(_size, content))
    return 8


def _is_ours(path: Path) -> bool:
    """Whether a lab is written for labkit, as the instructor's notebook says."""
    try:
        return "labkit" in notebooks.read(path).metadata
    except InputError:
        return False


def _withheld(path: Path) -> list[str]:
    """What the lab withholds, as the instructor's notebook says: the student's says anything."""
    try:
        return list(notebooks.read(path).metadata.get("labkit", {}).get("withheld", []))
    except InputError:
        return []


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=8)
def _imports_of(path: Path, changed: int) -> dict[str, str]:
    """Import statements of the instructor's notebook, by the name that each binds.

    Tests in other courses use `np` that a cell further up has imported. Names that the notebook
    binds in another way too are left out: those may be the student's to write.
    """
    found: dict[str, str] = {}
    bound: set[str] = set()
    try:
        cells = notebooks.read(path).cells
    except InputError:
        return {}
    for cell in cells:
        if cell.cell_type != "code":
            continue
        for statement in _statements(cell.source):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                if not utils.is_solution(cell):
                    found |= _bindings(statement)
            else:
                bound.update(_names_bound(statement))
    return {name: line for name, line in found.items() if name not in bound}


def _statements(source: str) -> list[ast.stmt]:
    lines = ["" if line.startswith(("%", "!")) else line for line in source.split("\n")]
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError:
        return []


def _bindings(statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
    found = {}
    for alias in statement.names:
        one = (
            ast.Import([alias])
            if isinstance(statement, ast.Import)
            else ast.ImportFrom(statement.module, [alias], statement.level)
        )
        if alias.name != "*":
            found[alias.asname or alias.name.partition(".")[0]] = ast.unparse(one)
    return found


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
