"""The first look at a file that a student handed in, before nbgrader reads it.

`examine` repairs what is harmless and says so, and rejects what cannot be graded with a sentence
that the student can act on. It reads one file and writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from labkit.grading.cells import mend
from labkit.grading.files import Refused, read_regular
from labkit.grading.json_data import is_small, may_have_halves, without_halves

MAX_BYTES = 50_000_000
MAX_CELLS = 1000
MAX_NODES = 1_000_000  # lists, objects and keys; 50 MB of them would take gigabytes of memory
# Of what is left without the outputs. nbgrader reads and writes it several times, in the one
# process that the whole class waits for.
MAX_LINES = 200_000
MAX_TEXT = 20_000_000  # characters; pictures in the text of a cell are long
MAX_ITEMS = 20_000  # of metadata
MAX_ATTACHMENTS = 1000
_CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
# Possessive, and one that does not end goes to the end: linear in whatever it is given.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_VERSIONS = range(1, 1000)
_CELL_TYPES = ("code", "markdown", "raw")
_ADVICE = "open it in Jupyter, save it, and hand it in again"
_ASK = f"Please {_ADVICE}."
_DROPPED = "Metadata that grading does not need were damaged or endless; they were dropped."


@dataclass(frozen=True)
class Triage:
    """What came of a file: a notebook that nbgrader can read, or the reason why there is none.

    `repairs` tell the student what was put right; `flags` tell the instructor what to look at.
    """

    notebook: NotebookNode | None
    repairs: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    reason: str | None = None


class _Rejected(Exception):
    """The message is the whole sentence for the student."""


def examine(path: Path, master: NotebookNode, max_bytes: int = MAX_BYTES) -> Triage:
    """Read a submitted notebook and put right what can be.

    Args:
        path: the file that was handed in; it is not changed.
        master: the lab as students got it, all its cells with nbgrader's metadata.
        max_bytes: a larger file is rejected, whatever it holds.
    """
    repairs: list[str] = []
    try:
        content = _parse(_text(path, max_bytes, repairs), repairs)
        notebook = _normalise(_as_version_4(content, repairs), repairs)
        mended = mend(notebook.cells, master.cells)
        notebook.cells = mended.cells
        _give_ids(notebook)
        _kernel(notebook, master, repairs)
        _validate(notebook, repairs)
    except _Rejected as rejection:
        return _reject(str(rejection))
    except nbformat.ValidationError:
        return _reject(f"The notebook does not have the form of a notebook: {_ADVICE}.")
    except (RecursionError, MemoryError):
        return _reject(f"The notebook is nested too deeply or too large to be read: {_ADVICE}.")
    # Each sentence once: a test may be there a thousand times.
    said = dict.fromkeys([*repairs, *mended.repairs])
    return Triage(notebook, list(said), list(dict.fromkeys(mended.flags)))


def _reject(reason: str) -> Triage:
    return Triage(None, flags=["Rejected: it counts 0 points."], reason=reason)


def _text(path: Path, limit: int, repairs: list[str]) -> str:
    try:
        content = read_regular(path, limit)
    except Refused as refusal:
        raise _Rejected(f"The notebook {refusal}: hand in the .ipynb file itself.") from None
    if not content.strip():
        raise _Rejected(f"The file is empty: {_ADVICE}.")
    if content.startswith(b"PK\x03\x04"):
        raise _Rejected("The file is a zip archive: unpack it and hand in the .ipynb file.")
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise _Rejected(f"The file is not text, so it is no notebook: {_ADVICE}.") from None
    if encoding == "utf-8-sig":
        repairs.append("The file began with a byte order mark; it was ignored.")
    elif encoding != "utf-8":
        repairs.append(f"The file was saved as {encoding.upper()}; it was read as that.")
    return text


def _parse(text: str, repairs: list[str]) -> dict[str, Any]:
    """The content of a file, without outputs."""
    if _nodes(text) > MAX_NODES:
        raise _Rejected("The notebook is too large to be read: clear its outputs, and save it.")
    try:
        content = json.loads(text)
    except ValueError as error:
        if _CONFLICT.search(text):
            raise _Rejected(
                "The file holds conflict markers of git (<<<<<<< and >>>>>>>): resolve the merge, "
                f"then {_ADVICE}."
            ) from None
        where = ""
        if isinstance(error, json.JSONDecodeError):
            where = f" It ends or breaks in line {error.lineno}."
        raise _Rejected(f"The file is no notebook, or only a part of one.{where} {_ASK}") from None
    version = content.get("nbformat") if isinstance(content, dict) else None
    if type(version) is not int or version not in _VERSIONS:
        raise _Rejected(f"The file is no notebook. {_ASK}")
    _drop_outputs(content)
    if may_have_halves(text):  # nbgrader could neither compare nor save them
        content, changed = without_halves(content)
        if changed:
            repairs.append("The file held characters that do not exist; each was replaced by '?'.")
    return content


def _nodes(text: str) -> int:
    """How many lists, objects and keys a text of JSON has, or a few more."""
    found = sum(map(text.count, "[{:"))
    if found > MAX_NODES:  # unless they were printed, or are an answer's text
        found = sum(map(_STRING.sub("", text).count, "[{:"))
    return found


def _drop_outputs(content: dict[str, Any]) -> None:
    """Before anything else: they are made anew by running the notebook, and may be large.

    Whoever wants to keep the outputs of some cells chooses them here.
    """
    cells = list(_raw_cells(content))
    for cell in cells:
        if isinstance(cell, dict) and "outputs" in cell:
            cell["outputs"] = []
    if len(cells) > MAX_CELLS:
        raise _Rejected(
            f"The notebook has {len(cells)} cells, more than {MAX_CELLS}: delete those that do not "
            "belong to the lab, and hand it in again."
        )


def _raw_cells(content: dict[str, Any]) -> Iterator[Any]:
    """The cells of a notebook of any format, whatever they are."""
    sheets = content.get("worksheets") if content["nbformat"] < 4 else None
    for holder in [content, *(sheets if isinstance(sheets, list) else ())]:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        yield from cells if isinstance(cells, list) else ()


def _as_version_4(content: dict[str, Any], repairs: list[str]) -> dict[str, Any]:
    version = content["nbformat"]
    if version < 4:
        if not is_small(content, MAX_ITEMS * 10):
            raise _Rejected("The notebook is too large to be read: clear its outputs, and save it.")
        try:
            content = nbformat.convert(nbformat.from_dict(content), 4)
        except Exception as error:  # nbformat's upgrades of odd files fail in every possible way
            raise _Rejected(
                f"The notebook has the old format {version} and could not be upgraded: {_ADVICE}."
            ) from error
        repairs.append(f"The notebook had the old format {version}; it was upgraded.")
    elif version > 4:
        # No such format exists yet. If it has cells as format 4 has, the rest is validated below.
        repairs.append(f"The notebook said that it has format {version}; it was read as format 4.")
    return content


def _normalise(content: dict[str, Any], repairs: list[str]) -> NotebookNode:
    """A notebook of format 4.5 of what is of use in a file, in its proper form."""
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise _Rejected(f"The file is no notebook: it has no cells. {_ASK}")
    cells = [_cell(cell, number) for number, cell in enumerate(cells, 1)]
    lines = sum(cell["source"].count("\n") for cell in cells)
    if lines > MAX_LINES or sum(len(cell["source"]) for cell in cells) > MAX_TEXT:
        raise _Rejected(
            f"The notebook's cells hold more than {MAX_LINES} lines or {MAX_TEXT // 1_000_000} "
            "million characters: put data into a file beside the notebook, and hand it in again."
        )
    metadata = content.get("metadata")
    metadata = dict(metadata) if isinstance(metadata, dict) else {}
    metadata.pop("widgets", None)  # the state of what outputs have shown
    if not is_small([metadata, [cell["metadata"] for cell in cells]], MAX_ITEMS):
        metadata = {"kernelspec": {}} if "kernelspec" in metadata else {}
        for cell in cells:
            own = cell["metadata"].get("nbgrader")
            known = isinstance(own, dict) and is_small(own, 100)
            cell["metadata"] = {"nbgrader": own} if known else {}
        repairs.append(_DROPPED)
    if not _attachments(cells):
        repairs.append("Attachments that cannot be shown were dropped.")
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    return nbformat.from_dict(made)


def _cell(given: Any, number: int) -> dict[str, Any]:
    """A cell with what is known of cells; some editors add fields of their own."""
    if not isinstance(given, dict) or given.get("cell_type") not in _CELL_TYPES:
        raise _Rejected(f"Cell {number} is neither code nor text: {_ADVICE}.")
    source, metadata = _joined(given.get("source", "")), given.get("metadata")
    if source is None:
        raise _Rejected(f"Cell {number} holds something else than text: {_ADVICE}.")
    made = {
        "cell_type": given["cell_type"],
        "metadata": metadata if isinstance(metadata, dict) else {},
        "source": source,
    }
    if isinstance(given.get("id"), str):
        made["id"] = given["id"]
    if given.get("attachments"):
        made["attachments"] = given["attachments"]
    if made["cell_type"] == "code":
        made |= {"outputs": given.get("outputs", []), "execution_count": None}  # counted anew, too
    return made


def _joined(text: Any) -> str | None:
    """A text that may be a list of its lines; None if it is no text."""
    lines = text if isinstance(text, list) else [text]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else None


def _attachments(cells: list[dict[str, Any]]) -> bool:
    """Bring attachments, such as the picture in an answer, into their proper form.

    Returns:
        Whether all of them could be kept.
    """
    room, complete = MAX_ATTACHMENTS, True
    for cell in cells:
        given = cell.pop("attachments", {})
        kept: dict[str, dict[str, str]] = {}
        for name, kinds in _items(given, room):
            texts = {kind: _joined(text) for kind, text in _items(kinds, room)}
            known = {kind: text for kind, text in texts.items() if text is not None}
            complete = complete and isinstance(kinds, dict) and len(known) == len(kinds)
            if known:
                kept[name] = known
                room -= len(known)
        complete = complete and isinstance(given, dict) and len(kept) == len(given)
        if kept:
            cell["attachments"] = kept
    return complete


def _items(given: Any, most: int) -> Iterator[tuple[str, Any]]:
    return islice(given.items(), most) if isinstance(given, dict) else iter(())


def _validate(notebook: NotebookNode, repairs: list[str]) -> None:
    """Raises nbformat's ValidationError if even without optional metadata it is no notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.pop("attachments", None)  # only text can have some
    if _valid(notebook):
        return
    damaged = 0
    for cell in notebook.cells:
        # A hundred times they are looked for one by one, which takes two milliseconds each.
        if damaged > 100 or not _valid(notebook | {"metadata": {}, "cells": [cell]}):
            damaged += 1
            cell.metadata = NotebookNode(
                {key: cell.metadata[key] for key in ("nbgrader",) if key in cell.metadata}
            )
    if not _valid(notebook | {"cells": []}):
        kernel = {k: v for k, v in notebook.metadata.items() if k == "kernelspec"}
        notebook.metadata = NotebookNode(kernel)
    nbformat.validate(notebook)
    repairs.append(_DROPPED)


def _valid(notebook: dict[str, Any]) -> bool:
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError:
        return False
    return True


def _give_ids(notebook: NotebookNode) -> None:
    """Each cell gets an id of its own, as format 4.5 asks.

    No word of it: many editors save notebooks without, and it is nothing to the student.
    """
    taken = {cell.id for cell in notebook.cells if isinstance(cell.get("id"), str)}
    numbers = (f"cell-{number}" for number in count())
    seen: set[str] = set()
    for cell in notebook.cells:
        name = cell.get("id")
        if not isinstance(name, str) or name in seen or not _CELL_ID.fullmatch(name):
            cell.id = next(number for number in numbers if number not in taken)
        seen.add(cell.id)


def _kernel(notebook: NotebookNode, master: NotebookNode, repairs: list[str]) -> None:
    """The lab says in which kernel it runs; otherwise a submission could choose any program that
    is installed as one.
    """
    own = master.metadata.get("kernelspec")
    if own and not isinstance(notebook.metadata.get("kernelspec"), dict):
        repairs.append("The notebook did not say which kernel it is for; the lab's was set.")
    notebook.metadata.pop("kernelspec", None)
    notebook.metadata.pop("language_info", None)  # written anew by the kernel
    if own:
        notebook.metadata["kernelspec"] = own
