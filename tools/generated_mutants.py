"""Change the reference solutions in every small way, and list the changes that lose no mark.

The operators of mutmut (arguments dropped, values lost) and of cosmic-ray (operators, comparisons
and numbers exchanged) change one place of one answer cell at a time; each changed solution is run
as the tests of the labs run a mutant, up to the first mark that it loses. One that keeps all its
marks shows a hole in the hidden tests, or is right; those stand, with the reason, in
`tests/mutants/equivalent/LAB.tsv`: cell, text before, text after, reason.

What was found is kept in `build/mutants`, and a run goes on where the last one ended. A result is
used again as long as the cells stand that it came from.
"""

import argparse
import ast
import csv
import difflib
import hashlib
import json
import multiprocessing
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from grading.run_in_forks import Cell, Forks, cells, one_thread  # noqa: E402

from labkit.grading import notebooks  # noqa: E402

UNUSED = {"RemoveDecorator", "VariableInserter", "VariableReplacer"}  # at random, or of no effect
CPU_SECONDS = 60  # for what is left of a notebook; the longest reference takes 10
MEMORY = 6 << 30


@dataclass(frozen=True)
class Change:
    """One answer cell with one place changed.

    Args:
        cell: the grade_id.
        text: of the whole cell.
        before, after: the lines that differ.
    """

    cell: str
    text: str
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str]:
        """How the list of equivalent changes names it."""
        return self.cell, self.before, self.after


class Changes(libcst.CSTVisitor):
    """Collects what mutmut's operators make of the lines between the solution's delimiters."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, lines: Collection[int]) -> None:
        super().__init__()
        self.lines = lines
        self.found: list[tuple[libcst.CSTNode, libcst.CSTNode]] = []

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Annotations do nothing, and the words of an error are free."""
        if isinstance(node, libcst.Annotation | libcst.Raise):
            return False
        place = self.get_metadata(PositionProvider, node, None)
        if place and place.start.line in self.lines:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found += [(node, changed) for changed in operator(node)]
        return True


def by_mutmut(source: str, lines: Collection[int]) -> Iterator[str]:
    """The texts that mutmut's operators make of a cell."""
    wrapper = MetadataWrapper(libcst.parse_module(source))
    visitor = Changes(lines)
    wrapper.visit(visitor)
    for old, new in visitor.found:
        yield wrapper.module.deep_replace(old, new).code


def by_cosmic_ray(source: str) -> Iterator[str]:
    """The texts that cosmic-ray's operators make of a cell."""
    every = OperatorProvider()
    for name in every:
        if name not in UNUSED:
            occurrence = 0
            while (text := mutate_code(source, every[name](), occurrence)) is not None:
                yield text
                occurrence += 1


def changes(name: str, source: str) -> Iterator[Change]:
    """The changes of an answer cell's solution that are Python and differ from the reference."""
    lines = source.split("\n")
    first, last = (
        next(i for i, line in enumerate(lines) if word in line)
        for word in (notebooks.BEGIN_SOLUTION, notebooks.END_SOLUTION)
    )
    seen = {ast.dump(ast.parse(source))}
    keys: Counter[tuple[str, str]] = Counter()
    for text in [*by_mutmut(source, range(first + 2, last + 1)), *by_cosmic_ray(source)]:
        try:
            tree = ast.dump(ast.parse(text))
        except SyntaxError:
            continue
        changed = text.split("\n")
        given = changed[: first + 1] + changed[last - len(lines) :]
        if tree in seen or given != lines[: first + 1] + lines[last:]:
            continue
        seen.add(tree)
        before, after = differing(lines, changed)
        keys[before, after] += 1
        if keys[before, after] > 1:  # the same line twice in a cell
            after += f"  # {keys[before, after]}"
        answer = [line for line in changed if "### " not in line]
        yield Change(name, "\n".join(answer), before, after)


def differing(before: list[str], after: list[str]) -> tuple[str, str]:
    """The lines of two texts that differ, each in one line."""
    parts = ([], [])
    for line in difflib.ndiff(before, after):
        if line[0] in "-+":
            parts["-+".index(line[0])].append(line[2:].strip())
    return " ".join(parts[0]), " ".join(parts[1])


class Trials(Forks):
    """Runs changed notebooks up to the first mark that each loses, and notes what became of it."""

    def __init__(self, full: Mapping[str, float], noted: Path, keys: list[str], texts: Any) -> None:
        self.full, self.noted, self.keys, self.texts = full, noted, keys, texts
        self.done = multiprocessing.Value("i")

    def is_settled(self, scores: dict[str, Any]) -> bool:
        """A mark is lost."""
        return any(score < self.full[name] for name, (score, _) in scores.items())

    def report(self, number: int, scores: dict[str, Any]) -> None:
        """Note how it ended, and after which cell."""
        lost = [name for name, (score, _) in scores.items() if score < self.full[name]]
        seen = bool(lost) and bool(scores[lost[0]][1])
        until = lost[0] if lost else None
        self.note(number, "visible" if seen else "hidden" if lost else "survived", until)

    def note(self, number: int, verdict: str, until: str | None) -> None:
        """Add a line to what is known; one write, since others write as well."""
        line = [self.keys[number], verdict, until, fingerprint(self.texts[number], until)]
        with self.noted.open("a") as file:
            file.write(json.dumps(line) + "\n")
        with self.done.get_lock():
            self.done.value += 1
            print(f"\r{self.done.value} of {len(self.keys)} ", end="", file=sys.stderr, flush=True)

    def begin(self, group: Collection[int]) -> None:
        """Bound what one change may take: loops may not end, and lists may grow."""
        if len(group) == 1:
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # whose signal ends the process

    def end(self, group: Collection[int], status: int) -> None:
        """A change that went over its limits is caught: its grading would end, too."""
        if status and len(group) > 1:
            sys.exit(f"a process ended with status {status}")
        if status:
            self.note(*group, "ended", None)


def fingerprint(book: list[Cell], until: str | None) -> str:
    """Of the cells up to one, or all of them."""
    ids = [name for _, name, _ in book]
    end = ids.index(until) + 1 if until else len(book)
    return hashlib.sha256(json.dumps(book[:end]).encode()).hexdigest()


def verdicts(lab: str, only: Collection[str]) -> dict[Change | None, str]:
    """What becomes of every change, and of the reference under None; run or known from before."""
    book = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    full = {name: p for name, p in notebooks.points(book).items() if name.startswith("test-")}
    answers = notebooks.solutions(book)
    every: list[Change | None] = [None]
    for cell in book.cells:
        name = notebooks.grade_id(cell)
        if cell.cell_type == "code" and name in answers and (not only or name in only):
            every += changes(name, cell.source)
    texts = [
        cells(notebooks.submission(book, answers | ({change.cell: change.text} if change else {})))
        for change in every
    ]
    keys = [json.dumps(change.key if change else None) for change in every]
    noted = ROOT / "build" / "mutants" / f"{lab}.jsonl"
    noted.parent.mkdir(parents=True, exist_ok=True)
    known = read(noted, keys, texts)
    left = [number for number, key in enumerate(keys) if key not in known]
    if left:
        sys.stderr.write(f"{lab}: {len(left)} solutions to run\n")
        trials = Trials(
            full, noted, [keys[number] for number in left], [texts[number] for number in left]
        )
        child = os.fork()
        if child == 0:
            one_thread()
            trials.follow(
                {i: texts[number] for i, number in enumerate(left)}, {"__name__": "__main__"}, {}
            )
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{lab}: the run broke off; what was found so far is kept")
        sys.stderr.write("\n")
        known = read(noted, keys, texts)
    return {change: known[key] for change, key in zip(every, keys, strict=True)}


def read(noted: Path, keys: list[str], texts: list[list[Cell]]) -> dict[str, str]:
    """What is noted of solutions, where the cells that it came from still stand."""
    number = {key: i for i, key in enumerate(keys)}
    known = {}
    for line in noted.read_text().splitlines() if noted.exists() else []:
        key, verdict, until, hashed = json.loads(line)
        if key in number and fingerprint(texts[number[key]], until) == hashed:
            known[key] = verdict
    return known


def equivalent(lab: str) -> dict[tuple[str, str, str], str]:
    """The changes that make no difference, and why not."""
    path = ROOT / "tests" / "mutants" / "equivalent" / f"{lab}.tsv"
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if any(len(row) != 4 or not row[3] for row in rows):
        sys.exit(f"{path}: a line is not cell, before, after and reason, with tabs in between")
    return {(cell, before, after): reason for cell, before, after, reason in rows}


def judge(lab: str, only: Collection[str]) -> bool:
    """Print what a lab's hidden tests let through; whether that is nothing."""
    found = verdicts(lab, only)
    if found.pop(None) != "survived":
        sys.exit(f"{lab}: the reference loses marks")
    listed = equivalent(lab)
    survivors = {c.key: c for c, verdict in found.items() if verdict == "survived"}
    stale = [] if only else sorted(listed.keys() - survivors.keys())
    holes = [key for key in survivors if key not in listed]
    count = Counter(found.values())
    print(
        f"{lab}: {len(found)} changes, {count['visible']} lost marks at a visible check, "
        f"{count['hidden']} at a hidden one, {count['ended']} ended by a limit, "
        f"{len(survivors) - len(holes)} equivalent, {len(holes)} not caught"
    )
    for key in holes:
        print("\t".join(key))
    for key in stale:
        print("listed, but not among those that keep their marks:", *key, sep="\n  ")
    return not holes and not stale


def main() -> None:
    """Judge the labs that are asked for."""
    every = sorted(path.parent.name for path in ROOT.glob("source/*/*.ipynb"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--lab", action="append", choices=every, help="all, if not given")
    parser.add_argument("--cell", action="append", default=[], help="an answer cell; all if none")
    asked = parser.parse_args()
    os.environ["LABKIT_PRESET"] = "grade"
    well = [judge(lab, asked.cell) for lab in asked.lab or every]
    sys.exit(0 if all(well) else 1)


if __name__ == "__main__":
    main()
