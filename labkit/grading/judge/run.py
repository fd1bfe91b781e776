"""The judge's own process: tests come in on standard input, verdicts go out, a line each.

Started by `process` as `python -m labkit.grading.judge.run`. Only the instructor's code runs here.
It imports torch or whatever else the tests need once, and then serves submission after submission.
"""

from __future__ import annotations

import ast
import contextlib
import decimal
import io
import json
import math
import numbers
import os
import select
import sys
from collections.abc import Mapping
from typing import Any

from labkit.grading.judge.link import LinkBroken
from labkit.grading.judge.namespace import Names
from labkit.grading.judge.verdict import Verdict

MEMORY = 8 << 30  # bytes of address space; whatever an answer does, the machine stays usable
PRINTED = 20_000  # characters of what a test prints
_SENTENCE = 2000
_IDLE = 600  # seconds without work after which the process ends by itself


def judge(
    source: str,
    connection: Mapping[str, Any],
    seconds: float | None,
    imports: Mapping[str, str] | None = None,
) -> Verdict:
    """Run one test against a kernel.

    Args:
        source: the test, hidden parts included.
        connection: of the student's kernel.
        seconds: for all questions together; None for no limit.
        imports: see `Names`.
    """
    printed = _Bounded()
    points, error, names, broken, starved = None, None, None, None, 0.0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(_Bounded(0)):
        try:
            names = Names(connection, seconds, imports or {})
            points = _partial(_execute(source, names))
        except LinkBroken as problem:
            broken = str(problem)
        except BaseException as problem:  # a test may also raise SystemExit
            error = (type(problem).__name__, _sentence(problem))
        finally:
            if names is not None:
                broken, starved = names.link.broken, names.link.starved
                names.link.close()
    # A test may take any error for the one that it expects. A kernel that is dead, silent or
    # lying about the protocol passes no test all the same.
    if broken:
        error = (
            "SubmissionStopped",
            f"the submission's code could not be run: {broken}"[:_SENTENCE],
        )
    if error:
        points = None
    return Verdict(points, error, printed.getvalue(), broken is not None, starved)


class TestIsWrong(Exception):
    """The test itself cannot be run; the message says what its author is to put right."""


def _execute(source: str, names: Names) -> Any:
    """Run a cell as IPython would; the value of its last expression, if it ends in one.

    Raises:
        TestIsWrong: it is no Python.
    """
    try:
        tree = ast.parse(_without_magics(source), "test")
    except SyntaxError as error:
        raise TestIsWrong(f"the test itself is wrong: {error.msg}") from None
    last = None
    if tree.body and isinstance(end := tree.body[-1], ast.Expr):
        last = ast.Expression(end.value)
        del tree.body[-1]
    exec(compile(tree, "test", "exec"), names)
    if last is None:
        return None
    value = eval(compile(last, "test", "eval"), names)
    return None if source.rstrip().endswith(";") else value


def _without_magics(source: str) -> str:
    """Magics that only set up a display mean nothing here; others would need the kernel."""
    harmless = ("%matplotlib", "%config", "%load_ext", "%autoreload")
    return "\n".join("" if line.startswith(harmless) else line for line in source.split("\n"))


def _partial(value: Any) -> float | None:
    """The points in a test's last value; None if it is no number, which means all of them.

    Raises:
        TestIsWrong: the number cannot be points.
    """
    number = _number(value)
    # Stock takes NaN and negative numbers for full marks. It is the test that is wrong, and a
    # sentence that says so is found sooner than a class of full marks.
    if number is not None and (not math.isfinite(number) or number < 0):
        raise TestIsWrong(
            f"the test itself is wrong: its last value is {number}, expected points from 0 up"
        )
    return number


def _number(value: Any) -> float | None:
    """A number of whatever kind, or the only one of an array or tensor; truth values are none.

    A sum of numpy's truth values is a number of numpy's: what counts points in one is not to give
    all of them. Kinds are told by the class itself, as an object of the submission's has no say.
    """
    kind = type(value)
    if issubclass(kind, bool):
        return None
    if issubclass(kind, numbers.Real | decimal.Decimal):
        return _as_float(value)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and issubclass(kind, numpy.generic | numpy.ndarray):
        counts = value.size == 1 and value.dtype.kind in "iuf"
        return _as_float(value.item()) if counts else None
    if torch is not None and issubclass(kind, torch.Tensor):
        counts = value.numel() == 1 and value.dtype != torch.bool and not value.is_complex()
        return _as_float(value.item()) if counts else None
    return None


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _sentence(problem: BaseException) -> str:
    """What the student reads: the check's words; never code, a path or a traceback."""
    try:
        text = str(problem).strip()
    except Exception:
        text = ""
    return text[:_SENTENCE] or "a check of this cell failed"


class _Bounded(io.StringIO):
    """Keeps the beginning of what is printed."""

    def __init__(self, limit: int = PRINTED) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        super().write(text[: self._left])
        self._left = max(0, self._left - len(text))
        return len(text)


def main() -> None:
    """Serve until standard input ends, or nothing has come for a while."""
    # The tests get an empty input and no output: these two descriptors carry the verdicts.
    _limit_memory()
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    verdicts = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 (a descriptor, not a file)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere.fileno(), descriptor)
    # The lab's own folder, last: a module there never stands in for an installed one.
    sys.path += [folder for folder in sys.argv[1:] if folder]
    while _work_comes(requests) and (line := requests.readline()):
        request = json.loads(line)
        number = request.pop("number")
        verdict = judge(**request)
        verdicts.write(f"{number} {verdict.to_json()}\n")
        verdicts.flush()


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _work_comes(requests: io.TextIOBase) -> bool:
    if sys.platform == "win32":  # cannot wait for a pipe; it then ends with its parent
        return True
    return bool(select.select([requests], [], [], _IDLE)[0])


if __name__ == "__main__":
    main()
