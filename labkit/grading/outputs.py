"""What a kernel has put out, brought into a form that can be stored.

A submission's code says what it likes: numbers where a notebook has texts, half a character, a
hundred thousand outputs. nbgrader would fail on the first two, and take half a minute for the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from labkit.grading.json_data import is_small

MAX_OUTPUTS = 5000  # of a notebook together
MAX_ITEMS = 10_000  # of an output that is data, such as a plot's; its picture and text are kept
MAX_LINES = 100_000
_TRACEBACK = 1000  # lines
_KINDS = 100  # in which one output is shown
_LONGEST = 10_000  # characters of what is put in the place of something that is no text
_LEFT_OUT = "More was put out than can be kept: the rest was left out."
_LANGUAGE = (
    "name",
    "version",
    "mimetype",
    "file_extension",
    "pygments_lexer",
    "nbconvert_exporter",
)


def tidied(notebook: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A notebook that has been run, with outputs as its format wants them.

    In the place of what is left out stands a line on stderr, so that a test that was run in the
    kernel does not pass for want of its error.

    Args:
        notebook: plain data; it is not changed.

    Returns:
        The notebook, and what the instructor should look at.
    """
    cells = notebook["cells"]
    counts = [len(cell.get("outputs", ())) for cell in cells]
    # Each cell keeps its first ones, so that none takes the place of another's.
    fits = (n for n in (1000, 100, 10) if sum(min(n, c) for c in counts) <= MAX_OUTPUTS)
    most = next(fits, 4)  # the verdict on a test has fewer
    metadata = {
        name: value for name, value in notebook["metadata"].items() if is_small(value, MAX_ITEMS)
    }
    if "language_info" in metadata:
        metadata["language_info"] = _language(metadata["language_info"])
    made = notebook | {"metadata": metadata, "cells": [_cell(cell, most) for cell in cells]}
    cut = max(counts, default=0) > most
    return made, [f"A cell had more than {most} outputs: the rest was left out."] if cut else []


def _cell(cell: dict[str, Any], most: int) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    outputs = [_output(output) or _note() for output in cell["outputs"][:most]]
    if len(cell["outputs"]) > most:
        outputs.append(_note())
    return cell | {"outputs": outputs, "execution_count": _count(cell)}


def _count(given: dict[str, Any]) -> int | None:
    number = given.get("execution_count")
    return number if type(number) is int and 0 <= number < 1 << 53 else None


def _note() -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": f"{_LEFT_OUT}\n"}


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    """The output as its type has it; None if it has no type."""
    kind = output.get("output_type")
    if kind == "stream":
        name = output.get("name")
        made = {"name": name if isinstance(name, str) else "stdout"}
        return {"output_type": kind, **made, "text": _text(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        lines = lines if isinstance(lines, list) else []
        if len(lines) > _TRACEBACK:
            lines = [*lines[: _TRACEBACK // 2], *lines[-_TRACEBACK // 2 :]]
        made = {name: _text(output.get(name)) for name in ("ename", "evalue")}
        return {"output_type": kind, **made, "traceback": [_text(line) for line in lines]}
    if kind not in ("display_data", "execute_result"):
        return None
    metadata = output.get("metadata")
    small = isinstance(metadata, dict) and is_small(metadata, MAX_ITEMS)
    shown: dict[str, Any] = {
        "output_type": kind,
        "data": dict(_data(output.get("data"))),
        "metadata": metadata if small else {},
    }
    if kind == "execute_result":
        shown["execution_count"] = _count(output)
    return shown


def _data(data: Any) -> Iterator[tuple[str, Any]]:
    """What is shown, by its type: texts, and data where the type says so."""
    for kind, value in islice(data.items(), _KINDS) if isinstance(data, dict) else ():
        if not kind.endswith("json"):
            yield kind, _text(value)
        elif is_small(value, MAX_ITEMS):
            yield kind, value


def _text(value: Any) -> str:
    """A text, or what something else looks like; not without end."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        value = "" if value is None or not is_small(value, MAX_ITEMS) else str(value)[:_LONGEST]
    if value.count("\n") <= MAX_LINES:
        return value
    return "\n".join([*value.split("\n", MAX_LINES)[:-1], _LEFT_OUT])


def _language(given: Any) -> dict[str, Any]:
    """What a kernel says of its language, as far as it can be; a name there must be."""
    given = given if isinstance(given, dict) else {}
    known = {name: given[name] for name in _LANGUAGE if isinstance(given.get(name), str)}
    mode = given.get("codemirror_mode")
    if isinstance(mode, str) or (isinstance(mode, dict) and is_small(mode, 100)):
        known["codemirror_mode"] = mode
    return {"name": "python"} | known
