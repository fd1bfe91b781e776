"""Running nbgrader's own commands, as an instructor would type them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def nbgrader(
    course: Path, *arguments: str, log: Path, on_line: Callable[[str], None] | None = None
) -> int:
    """Run one nbgrader command in a course folder.

    Args:
        course: the folder that holds `nbgrader_config.py`.
        arguments: the command and its options, for instance "autograde", "lab1_cam".
        log: a file to which what the command prints is appended.
        on_line: called with each line as it is printed.

    Returns:
        The command's exit code.
    """
    with (
        log.open("a", encoding="utf-8") as record,
        subprocess.Popen(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=course,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            record.write(line)
            if on_line is not None:
                on_line(line)
    return process.returncode


def end(log: Path) -> str:
    """The last lines of what commands have printed."""
    return "\n".join(log.read_text(encoding="utf-8").splitlines()[-15:])


def environment() -> dict[str, str]:
    """This process's environment, with the programs of its Python first.

    nbgrader calls `alembic` by its name, which an environment that is not activated hides.
    """
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}
