"""How many of the hand-written mutants each check of the labs' tests kills: `make mutants`.

A check is one statement of a test cell that calls `labkit.checks`, or an `assert`; in a loop it is
one check, and fails if it fails once. Each is tried by itself: a check that fails is noted, and the
cell goes on as if it had not. So a mutant can be killed by several. An error that is no check's
still ends its part of the marks, and the checks behind it do not see that mutant.

A check that kills no mutant is one that nobody has tried. It stands in `UNTRIED` of
`tests/mutants/LAB.py` with the reason, or the exit code is 1.
"""

import argparse
import ast
import multiprocessing
import os
import runpy
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from grading.run_in_forks import Cell, Forks, attempt, cells, one_thread  # noqa: E402

from labkit.grading import mutants, notebooks  # noqa: E402

HIDDEN = "### BEGIN HIDDEN TESTS"
# Of labkit.checks.
ASKS = {"dtype", "entries", "indices", "mapping", "number", "require", "shape", "values"}


@dataclass(frozen=True)
class Check:
    """One check of a test cell.

    Args:
        cell: the grade_id.
        text: of the statement, in one line.
        hidden: students do not see it.
        line: of the cell, from 1.
    """

    cell: str
    text: str
    hidden: bool
    line: int


class Watched(ast.NodeTransformer):
    """Puts `with _check(line):` around every check of a test cell, to be noted and gone past."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.lines: dict[int, str] = {}

    def visit(self, node: ast.AST) -> ast.AST:
        """Wrap statements that check; go into those that hold others."""
        if not (isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and asks(node))):
            return self.generic_visit(node)
        line = node.lineno + self.offset
        self.lines[line] = " ".join(ast.unparse(node).split())
        call = ast.parse(f"_check({line})", mode="eval").body
        return ast.With(items=[ast.withitem(context_expr=call)], body=[node])


def asks(statement: ast.stmt) -> bool:
    """Whether a statement calls a check."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ASKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "checks"
        for node in ast.walk(statement)
    )


class Noting:
    """A context that notes an error, and lets the test go on."""

    def __init__(self, note: Callable[[], None]) -> None:
        self.note = note

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> bool:
        """Note that the check fails."""
        if error is not None:
            self.note()
        return isinstance(error, Exception)


def split(source: str) -> tuple[tuple[str, int], tuple[str, int]]:
    """The visible and the hidden part of a test cell, and how many lines stand before each."""
    visible, _, hidden = source.partition(HIDDEN)
    return (visible, 0), (hidden, visible.count("\n"))


def watched(source: str, offset: int) -> tuple[str, dict[int, str]]:
    """Code whose checks are noted, and its checks by line."""
    watch = Watched(offset)
    tree = ast.fix_missing_locations(watch.visit(ast.parse(source)))
    return ast.unparse(tree), watch.lines


class Kills(Forks):
    """Runs mutants and tells which checks fail, by cell and line."""

    def __init__(self, total: int, found: Any) -> None:
        self.total, self.found = total, found
        self.done = multiprocessing.Value("i")

    def run(self, cell: Cell, names: dict[str, Any], scores: dict[str, Any]) -> None:
        """Run a cell; note the checks of a test that fail."""
        source, name, points = cell
        if points is None:
            attempt(source, names)
            return
        failed: set[int] = set()
        names["_check"] = lambda line: Noting(lambda: failed.add(line))
        for text, offset in split(source):
            attempt(watched(text, offset)[0], names)
        scores[str(name)] = sorted(failed)

    def report(self, number: int, scores: dict[str, Any]) -> None:
        """Hand over what was found, and show how far it is."""
        self.found.put((number, scores))
        with self.done.get_lock():
            self.done.value += 1
            print(f"\r{self.done.value} of {self.total} ", end="", file=sys.stderr, flush=True)


def every_check(book: Any) -> list[Check]:
    """The checks of a lab in their order."""
    return [
        Check(cell.metadata.nbgrader["grade_id"], text, bool(offset), line)
        for cell in notebooks.tests(book)
        for source, offset in split(cell.source)
        for line, text in watched(source, offset)[1].items()
    ]


def killed(book: Any, known: mutants.Mutants) -> dict[str, dict[str, list[int]]]:
    """For every mutant the lines of the checks that fail, by test cell."""
    answers = notebooks.solutions(book)
    names = [*known.mutants, None]
    solved = [known.mutants[name].apply(answers) if name else answers for name in names]
    books = {i: cells(notebooks.submission(book, texts)) for i, texts in enumerate(solved)}
    found: Any = multiprocessing.SimpleQueue()
    child = os.fork()
    if child == 0:
        one_thread()
        Kills(len(books), found).follow(books, {"__name__": "__main__"}, {})
        os._exit(0)
    results = {names[number]: failed for number, failed in (found.get() for _ in books)}
    os.waitpid(child, 0)
    sys.stderr.write("\n")
    if failing := {cell: lines for cell, lines in results.pop(None).items() if lines}:
        sys.exit(f"the reference fails {failing}")
    return results


def judge(lab: str, table: bool) -> bool:
    """Print what each check of a lab kills; whether all hidden ones kill, or are excused."""
    book = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    known = mutants.load(ROOT, lab)
    excused = runpy.run_path(str(ROOT / "tests" / "mutants" / f"{lab}.py")).get("UNTRIED", {})
    results = killed(book, known)
    count = Counter(
        (cell, line)
        for failed in results.values()
        for cell, lines in failed.items()
        for line in lines
    )
    by_cell: dict[str, list[Check]] = defaultdict(list)
    for check in every_check(book):
        by_cell[check.cell].append(check)
    print(f"{lab}: {len(results)} mutants, {sum(map(len, by_cell.values()))} checks")
    untried, excuses = 0, set()
    for cell, asked in by_cell.items():
        numbers = [
            " ".join(str(count[cell, c.line]) for c in asked if c.hidden is hidden) or "none"
            for hidden in (False, True)
        ]
        aimed = sum(cell in mutant.loses for mutant in known.mutants.values())
        print(f"  {cell}, {aimed} mutants: visible {numbers[0]}; hidden {numbers[1]}")
        for check in asked:
            kills = count[cell, check.line]
            kind = "hidden" if check.hidden else "visible"
            reason = next((key for key in excused if key[0] == cell and key[1] in check.text), None)
            if table or (check.hidden and not kills):
                excuse = f" ({excused[reason]})" if reason and not kills else ""
                print(f"    {kills} by line {check.line}, {kind}{excuse}: {check.text[:80]}")
            if not kills and check.hidden:
                untried += reason is None
                excuses.add(reason)
    stale = [key for key in excused if key not in excuses]
    for key in stale:
        print("  in UNTRIED, but tried or gone:", *key)
    return not untried and not stale


def main() -> None:
    """Judge the labs that are asked for."""
    every = sorted(path.parent.name for path in ROOT.glob("source/*/*.ipynb"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--lab", action="append", choices=every, help="all, if not given")
    parser.add_argument("--table", action="store_true", help="also list the checks that kill")
    asked = parser.parse_args()
    os.environ["LABKIT_PRESET"] = "grade"
    well = [judge(lab, asked.table) for lab in asked.lab or every]
    sys.exit(0 if all(well) else 1)


if __name__ == "__main__":
    main()
