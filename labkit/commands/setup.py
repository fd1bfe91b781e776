"""Commands before and around a course: `labkit doctor` and `labkit bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from labkit.doctor import Finding, examine, looks_like_a_course

STYLES = {"ok": "green", "advice": "yellow", "problem": "bold red"}


def doctor(
    course: Annotated[
        Path | None,
        typer.Option(help="a course folder to look at as well; the working folder if it is one"),
    ] = None,
) -> None:
    """Look for what may stand in the way on this machine, and say what to do about it."""
    if course is None and looks_like_a_course(Path()):
        course = Path()
    findings = examine(course)
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        console.print(_line(finding))
    problems = sum(finding.status == "problem" for finding in findings)
    if problems:
        console.print(f"Mend the {problems} marked as problem, then run labkit doctor again.")
        raise typer.Exit(1)
    console.print("Nothing stands in the way.")


def _line(finding: Finding) -> Text:
    """One finding, its remedy on a line below."""
    line = Text.assemble(
        (f"{finding.status:8}", STYLES[finding.status]), f"{finding.name:10}{finding.message}"
    )
    if finding.remedy:
        line.append(f"\n{'':8}{'':10}to do: {finding.remedy}")
    return line


def bundle(
    out: Annotated[
        Path, typer.Option(help="Folder for the bundle; an earlier bundle there is replaced.")
    ] = Path("bundle"),
) -> None:
    """Pack what students get: the labs without answers, labkit itself and a guide."""
    from labkit.bundle import make_bundle  # takes nbgrader's second of imports

    archive = make_bundle(Path.cwd(), out)
    Console(soft_wrap=True, highlight=False).print(f"Give students {archive}")
