"""The command line. Each command imports what it needs when it runs, so that help is instant."""

from __future__ import annotations

import errno
import sys

import typer

from labkit import __version__
from labkit.commands import data, experiment, explaining, grading, setup, training
from labkit.errors import InputError

# What a disk or its owner refuses, whatever is written.
_NOT_OURS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}

app = typer.Typer(
    name="labkit",
    help="A course kit on class activation maps and weakly supervised segmentation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_SCIENCE, _SETUP, _INSTRUCTORS = "Methods", "This machine", "For instructors"
app.command(rich_help_panel=_SCIENCE)(training.train)
app.command(rich_help_panel=_SCIENCE)(training.evaluate)
app.command(rich_help_panel=_SCIENCE, cls=explaining.SeveralPictures)(explaining.explain)
app.command(rich_help_panel=_SCIENCE, cls=explaining.SeveralThresholds)(explaining.iou)
app.command(rich_help_panel=_SCIENCE)(experiment.experiment)
app.command(rich_help_panel=_SCIENCE)(data.data)
app.command(rich_help_panel=_SETUP)(setup.doctor)
app.command(rich_help_panel=_INSTRUCTORS)(grading.course)
app.command(rich_help_panel=_INSTRUCTORS)(grading.grade)
app.command(rich_help_panel=_INSTRUCTORS)(grading.similarity)
app.command(rich_help_panel=_INSTRUCTORS)(grading.export)
app.command(rich_help_panel=_INSTRUCTORS)(grading.lint)
app.command("try", rich_help_panel=_INSTRUCTORS)(grading.attempt)
app.command(rich_help_panel=_INSTRUCTORS)(grading.sample_class)
app.command(rich_help_panel=_INSTRUCTORS)(setup.bundle)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """Answer options that stand before any command."""
    if show:
        typer.echo(f"labkit {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; what a person gave wrongly ends in one sentence and exit code 2.

    So does a disk that is full or can only be read.
    """
    try:
        app()
    except InputError as error:
        typer.echo(f"labkit: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        where = f": {error.filename}" if error.filename else ""
        typer.echo(f"labkit: {error.strerror}{where}", err=True)
        sys.exit(2)
