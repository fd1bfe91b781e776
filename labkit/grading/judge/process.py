"""The judge as nbgrader sees it: a process of its own, started when first needed.

Not inside nbgrader: a test may loop, and torch is not to be imported there. Not for each cell:
importing torch takes seconds. One process runs only the instructor's tests, so it may serve one
submission after another; it is replaced when a test does not end.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labkit.grading.judge import clock
from labkit.grading.judge.verdict import TEST_STOPPED, Verdict

_GRACE = 60.0  # seconds for a test's own computing, and for a first import of torch
_TICK = 0.05


class Judge:
    """A judge's process for the tests of one lab.

    Args:
        folder: the lab's folder in source/, for data and modules that tests read. The instructor's
            own, never the copy beside the student's notebook.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self._asked = 0  # tests so far; a verdict says of which one it is

    def judge(
        self,
        source: str,
        connection: Mapping[str, Any],
        seconds: float | None,
        imports: Mapping[str, str],
        *,
        meanwhile: Callable[[], str | None] = lambda: None,
    ) -> Verdict:
        """The verdict on one graded cell.

        Args:
            source: the text of the test from the gradebook.
            connection: of the student's kernel.
            seconds: for the cell; None for no limit.
            imports: import statements of the instructor's notebook by name.
            meanwhile: called often; a sentence that it returns is why judging is to stop.
        """
        request = {
            "source": source,
            "connection": {
                key: value.decode() if isinstance(value, bytes) else value
                for key, value in connection.items()
            },
            "seconds": seconds,
            "imports": dict(imports),
        }
        with self._one_at_a_time:
            self._asked += 1
            request["number"] = self._asked
            try:
                return self._ask(json.dumps(request, default=str), seconds, meanwhile)
            except BaseException:
                self.close()  # nobody waits for its verdict any more
                raise

    def _ask(
        self, request: str, seconds: float | None, meanwhile: Callable[[], str | None]
    ) -> Verdict:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
        except OSError:  # it has ended meanwhile, being idle
            self.close()
            process = self._started()
            assert process.stdin is not None
            process.stdin.write(request + "\n")
            process.stdin.flush()
        patience = (1 + clock.PATIENCE) * (seconds or 0.0) + _GRACE
        deadline = None if seconds is None else time.monotonic() + patience
        while True:
            with contextlib.suppress(queue.Empty):
                number, _, verdict = self._answers.get(timeout=_TICK).partition(" ")
                if number == str(self._asked):
                    return Verdict.from_json(verdict)
                if not number:
                    self.close()
                    return Verdict(
                        error=(TEST_STOPPED, "the test's own process ended, perhaps out of memory")
                    )
            if stop := meanwhile():
                # The judge usually sees it too, and then stays alive for the next submission.
                with contextlib.suppress(queue.Empty):
                    self._answers.get(timeout=1.0)
                    return Verdict(error=("SubmissionStopped", stop), broken=True)
                self.close()
                return Verdict(error=("SubmissionStopped", stop), broken=True)
            if deadline is not None and time.monotonic() > deadline:
                self.close()
                return Verdict(
                    error=("TestTimeout", f"the test did not end in {seconds:g} seconds")
                )

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        # -P: nothing beside the working folder is imported; -B: no __pycache__ in source/.
        command = [sys.executable, "-P", "-B", "-m", "labkit.grading.judge.run"]
        path = os.pathsep.join(
            str(Path(entry).resolve())
            for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
            if entry
        )
        self._process = subprocess.Popen(
            [*command, str(self._folder or "")],
            cwd=self._folder or tempfile.gettempdir(),
            env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._answers = queue.SimpleQueue()
        threading.Thread(target=_read, args=(self._process, self._answers), daemon=True).start()
        return self._process


def _read(process: subprocess.Popen[str], answers: queue.SimpleQueue[str]) -> None:
    """Pass on what the process writes; an empty text at its end. (Pipes have no other timeout.)"""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            answers.put(line)
    answers.put("")


_current: Judge | None = None
_of: Path | None = None


def for_lab(folder: Path | None) -> Judge:
    """The judge of a lab: the same for all its submissions, replaced at the next lab's."""
    global _current, _of
    if _current is None or _of != folder:
        if _current is not None:
            _current.close()
        _current, _of = Judge(folder), folder
    return _current


@atexit.register
def _close() -> None:
    if _current is not None:
        _current.close()
