"""Cells of a CSV file that is opened in a spreadsheet as often as it is imported."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from labkit.errors import InputError

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_INNER = re.compile(rf"([;,|]\s*\"?)(?=[{re.escape(''.join(_FORMULA))}])")


def is_formula(value: str) -> bool:
    """Whether a spreadsheet may take a text for a formula (OWASP, "CSV Injection").

    What cannot be seen before it does not count: spreadsheets drop some of that.
    """
    seen = (i for i, c in enumerate(value) if c.isprintable() and not c.isspace())
    return value[next(seen, len(value)) :].startswith(_FORMULA)


def text(value: str) -> str:
    """A text on one line, without control characters, that no spreadsheet runs.

    An apostrophe goes before a formula, also behind what another spreadsheet's columns end with.
    """
    line = " ".join(value.split())
    line = "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cs"))
    line = _INNER.sub(r"\1'", line)
    return f"'{line}" if is_formula(line) else line


def number(value: float | None) -> str:
    """A number with a decimal point and at most five decimals, as many as Moodle stores.

    None, where there is no mark, is empty.
    """
    if value is None:
        return ""
    written = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def table(rows: Iterable[Iterable[str]]) -> bytes:
    """The rows as RFC 4180 has them, in UTF-8 without a byte order mark.

    Each cell is in quotation marks: where semicolons stand between columns, as in half of Europe, a
    spreadsheet would see the beginning of a cell within another one.
    """
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode()


def create(path: Path, content: bytes) -> None:
    """Write a file that is not there yet.

    Raises:
        InputError: it is there, or cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise InputError(
            f"{path} is there already, and may be all you have: move it, or choose another name"
        ) from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def names(these: Iterable[str], limit: int = 20) -> str:
    """A list for a sentence: at most `limit` names, fit for a terminal, and how many more."""
    every = ["".join(c if c.isprintable() else "?" for c in name) for name in these]
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
