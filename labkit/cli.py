"""The command line."""

from __future__ import annotations

import sys

import typer

from labkit.commands import training
from labkit.errors import InputError

app = typer.Typer(
    name="labkit",
    help="Train, look and grade: a course kit on class activation maps.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(training.train)
app.command()(training.evaluate)


def main() -> None:
    """Run the command line; what cannot be used ends in one sentence and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"labkit: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
