"""Plausible wrong solutions, each with the marks that it must lose.

A lab's mutants are listed in `tests/mutants/LAB.py`. They show that every hidden check catches a
mistake that someone might make, and only that one.
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labkit.errors import InputError


@dataclass(frozen=True)
class Mutant:
    """One solution cell with one mistake in it.

    Args:
        name: what the mistake is, short, usable as a student's name.
        cell: the grade_id of the solution cell.
        change: pairs (text of the reference, text put in its place).
        loses: the points that must go, by the grade_id of the test cell; all others stay.
        visible: a check that students can see already fails.
    """

    name: str
    cell: str
    change: Sequence[tuple[str, str]]
    loses: Mapping[str, float] = field(default_factory=dict)
    visible: bool = False

    def apply(self, solutions: Mapping[str, str]) -> dict[str, str]:
        """The reference solutions with this mistake.

        Raises:
            InputError: the reference no longer holds a text that this mutant replaces.
        """
        if self.cell not in solutions:
            raise InputError(f"the mutant {self.name!r} changes {self.cell!r}, which is no answer")
        text = solutions[self.cell]
        for old, new in self.change:
            if old not in text:
                raise InputError(
                    f"the mutant {self.name!r} replaces {old!r}, which the cell {self.cell!r} "
                    "does not hold: has the reference solution changed?"
                )
            text = text.replace(old, new)
        return {**solutions, self.cell: text}


@dataclass(frozen=True)
class SampleClass:
    """Who sits in the demonstration class besides the reference, a blank and a broken file.

    Args:
        half_done: the solution cells that the half-done submission has filled in.
        mistakes: names of mutants that hand in.
    """

    half_done: Sequence[str]
    mistakes: Sequence[str]


@dataclass(frozen=True)
class Mutants:
    """What `tests/mutants/LAB.py` holds: `MUTANTS`, `ALTERNATIVES` and `SAMPLE_CLASS`.

    Alternatives are written like mutants, but right: other ways to solve a task, which lose
    nothing.
    """

    mutants: Mapping[str, Mutant]
    alternatives: Mapping[str, Mutant]
    sample_class: SampleClass


def load(root: Path, lab: str) -> Mutants:
    """Read `tests/mutants/LAB.py` of the course repository at `root`.

    Raises:
        InputError: the file or a part of it is missing, or two mutants have the same name.
    """
    path = root / "tests" / "mutants" / f"{lab}.py"
    if not path.is_file():
        raise InputError(f"there is no list of mutants {path}: is this the course repository?")
    content = runpy.run_path(str(path))
    for part in ("MUTANTS", "ALTERNATIVES", "SAMPLE_CLASS"):
        if part not in content:
            raise InputError(f"{path} defines no {part}: expected what the other labs' files have")
    every = [*content["MUTANTS"], *content["ALTERNATIVES"]]
    if len({mutant.name for mutant in every}) != len(every):
        raise InputError(f"two mutants in {path} have the same name")
    mutants, alternatives = (
        {mutant.name: mutant for mutant in content[part]} for part in ("MUTANTS", "ALTERNATIVES")
    )
    return Mutants(mutants, alternatives, content["SAMPLE_CLASS"])
