"""`labkit lint`, `labkit sample-class` and `labkit course`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Lab = Annotated[str, typer.Argument(help="name of a lab in source/, for instance lab1_cam")]
Course = Annotated[Path, typer.Option("--course", help="the course folder, which holds source/")]


def lint(lab: Lab, course: Course = Path()) -> None:
    """Check a lab before students see it; exit code 1 if there is something to mend."""
    from labkit.grading.lint import lint as problems_of

    problems = problems_of(course, lab)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{lab}: nothing to mend")


def sample_class(
    lab: Lab,
    out: Annotated[Path, typer.Option(help="the course folder to make")] = Path("sample-course"),
) -> None:
    """Make a course folder with a small class that hands in right and wrong work."""
    from labkit.grading.sample_class import students, write_course

    members = students(Path(), lab)
    write_course(Path(), out, {lab: members})
    typer.echo(f"{len(members)} submissions of {lab} are in {out / 'submitted'}")


def course(
    out: Annotated[
        Path, typer.Option(help="the folder in which the sample class is graded")
    ] = Path("sample-course"),
) -> None:
    """Generate every lab, grade a sample class, and check that each mark is right."""
    from rich.console import Console

    from labkit.grading.demonstration import demonstrate

    if not demonstrate(Path(), out, Console()):
        raise typer.Exit(1)
