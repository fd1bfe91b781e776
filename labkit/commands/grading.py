"""What instructors run: `labkit grade`, `labkit similarity`, `labkit export` and the like."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labkit.errors import InputError

Lab = Annotated[str, typer.Argument(help="name of a lab, for instance lab1_cam")]
Course = Annotated[Path, typer.Option("--course", help="the course folder")]


class Sandbox(StrEnum):
    """Where students' code runs."""

    auto = "auto"
    none = "none"


class System(StrEnum):
    """Where marks go."""

    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"
    csv = "csv"


class Unfinished(StrEnum):
    """What becomes of labs with cells that wait for a person."""

    refuse = "refuse"
    empty = "empty"
    as_is = "as-is"


class Missing(StrEnum):
    """What a student has for a lab that was not handed in."""

    empty = "empty"
    zero = "zero"


def grade(
    lab: Lab,
    course: Course = Path(),
    student: Annotated[
        list[str] | None, typer.Option(help="grade this student only; may be given several times")
    ] = None,
    sandbox: Annotated[
        Sandbox, typer.Option(help="none runs submissions as you, with your files and network")
    ] = Sandbox.auto,
    force: Annotated[
        bool, typer.Option("--force", help="grade also what is graded already")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="submissions that are run at the same time")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="address of a dask cluster that runs them instead")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="write a line of JSON for each submission into this file")
    ] = None,
    allow_shared_course: Annotated[
        bool,
        typer.Option(
            "--allow-shared-course", help="grade although others on this machine can write to it"
        ),
    ] = False,
) -> None:
    """Grade the submissions of a lab: triage, tests outside the students' kernels, a sandbox.

    What is graded and has not changed is skipped: the same command goes on with a run that ended.

    Exit code 0: every submission has a score. 1: some need a look, or not all could be graded.
    2: nothing could be graded. 130: interrupted.
    """
    from rich.console import Console

    from labkit.grading.run import grade as run
    from labkit.grading.run import summary

    if json is not None and not json.parent.is_dir():
        raise InputError(f"there is no folder {json.parent} for {json.name}: make it first")
    console = Console()
    outcome = run(
        course,
        lab,
        console,
        students=student or [],
        sandbox=sandbox.value,
        force=force,
        jobs=jobs,
        scheduler=scheduler,
        allow_shared=allow_shared_course,
    )
    summary(outcome, console)
    if json is not None:
        lines = "".join(entry.line() + "\n" for entry in outcome.all())
        half = json.with_name(f"{json.name}.part")  # nobody reads half a file
        half.write_text(lines, encoding="ascii")
        half.replace(json)
    raise typer.Exit(outcome.exit_code())


def similarity(
    lab: Lab,
    course: Course = Path(),
    to: Annotated[
        Path | None,
        typer.Option(help="the page to write; similarity/LAB.html in the course folder"),
    ] = None,
    share: Annotated[
        int,
        typer.Option(
            min=1, max=99, help="per cent of a student's code from which on a pair is named"
        ),
    ] = 25,
) -> None:
    """Show whose code is alike, and what is the course's own: a reason to look, not a verdict.

    Submissions are only read, and no mark is changed. Exit code 2: nothing could be compared.
    """
    from rich.console import Console

    from labkit.grading.similarity import find, show
    from labkit.grading.similarity_page import page

    if to is not None and not to.parent.is_dir():
        raise InputError(f"there is no folder {to.parent} for {to.name}: make it first")
    found = find(course, lab, share)
    if to is None:
        to = course / "similarity" / f"{lab}.html"
        to.parent.mkdir(exist_ok=True)
    to.write_text(page(found), encoding="utf-8", errors="replace")
    show(found, to, Console())


def export(
    system: Annotated[System, typer.Argument(help="csv is a tidy table, a row for each cell")],
    to: Annotated[Path, typer.Option(help="the file to write, which is not there yet")],
    course: Annotated[
        Path, typer.Option("--course", help="the course folder, which holds the gradebook")
    ] = Path(),
    roster: Annotated[
        Path | None, typer.Option(help="the list of students that the LMS gives out, as CSV")
    ] = None,
    lab: Annotated[
        list[str] | None, typer.Option(help="this lab only; may be given several times")
    ] = None,
    student: Annotated[
        list[str] | None, typer.Option(help="this student only; may be given several times")
    ] = None,
    unfinished: Annotated[
        Unfinished,
        typer.Option(help="where cells wait for a person: no file, no mark, or the points so far"),
    ] = Unfinished.refuse,
    missing: Annotated[
        Missing, typer.Option(help="what was not handed in has no mark, or 0")
    ] = Missing.empty,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="LAB=TITLE", help="what a lab is called in the LMS"),
    ] = None,
) -> None:
    """Write the marks for Canvas, Moodle or Gradescope, or as a table.

    What an instructor should know is printed: who is on one side only, and whose work still waits.

    Exit code 0: the file is written. 2: it is not.
    """
    from labkit.grading.exports.run import export as run

    columns = dict(each.split("=", 1) for each in column or [] if "=" in each)
    if len(columns) < len(column or []):
        raise InputError(f"expected --column LAB=TITLE, once a lab, got {', '.join(column or [])}")
    sentences = run(
        course,
        system.value,
        to,
        labs=lab or [],
        students=student or [],
        missing=missing.value,
        roster=roster,
        unfinished=unfinished.value,
        columns=columns,
    )
    for sentence in sentences:
        typer.echo(sentence)


def lint(lab: Lab, course: Course = Path()) -> None:
    """Check a lab before students see it; exit code 1 if there is something to mend."""
    from labkit.grading.lint import lint as problems_of

    problems = problems_of(course, lab)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{lab}: nothing to mend")


def attempt(
    lab: Lab,
    course: Course = Path(),
    sandbox: Annotated[
        Sandbox, typer.Option(help="none runs the lab as you, with your files and network")
    ] = Sandbox.auto,
) -> None:
    """Grade a lab's own solution, which must pass every test, and its empty release: no points.

    In a folder of its own: the course, its gradebook among it, is only read. Exit code 1 if there
    is something to mend.
    """
    from rich.console import Console

    from labkit.grading.trial import attempt as run

    tried = run(course, lab, Console(), sandbox.value)
    for problem in tried.problems:
        typer.echo(problem)
    if tried.problems:
        raise typer.Exit(1)
    if not tried.tests:
        typer.echo(f"{lab}: no cell of it is marked automatically")
        return
    tests = "1 test" if tried.tests == 1 else f"{tried.tests} tests"
    typer.echo(
        f"{lab}: the solution passes {tests} ({tried.points:g} points), the empty release gets none"
    )


def sample_class(
    lab: Lab,
    out: Annotated[Path, typer.Option(help="the course folder to make")] = Path("sample-course"),
) -> None:
    """Make a course folder with a small class that hands in right and wrong work."""
    from labkit.grading.sample_class import students, write_course

    members = students(Path(), lab)
    folders = write_course(Path(), out, {lab: members})
    typer.echo(f"{len(members)} submissions of {lab} are in {folders.root}")


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
