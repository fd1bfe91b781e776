"""The first look at a file that a student handed in, before nbgrader reads it.

`examine` repairs what is harmless and says so, and rejects what cannot be graded with a sentence
that the student can act on. It reads one file and writes nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import rejoin_lines

from labkit.grading.cells import mend
from labkit.grading.files import Refused, read_regular

MAX_BYTES = 50_000_000
MAX_CELLS = 1000
MAX_NODES = 500_000  # lists and objects; 50 MB of "[]," would take gigabytes of memory
_FIELDS = {"cell_type", "id", "metadata", "source", "attachments", "outputs", "execution_count"}
_CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CELL_TYPES = ("code", "markdown", "raw")
_ADVICE = "open it in Jupyter, save it, and hand it in again"
_ASK = f"Please {_ADVICE}."


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
        notebook = _parse(_text(path, max_bytes, repairs), repairs)
        _normalise(notebook, repairs)
        mended = mend(notebook.cells, master.cells)
        notebook.cells = mended.cells
        _give_ids(notebook, repairs)
        _kernel(notebook, master, repairs)
        _validate(notebook, repairs)
    except _Rejected as rejection:
        return _reject(str(rejection))
    except nbformat.ValidationError:
        return _reject(f"The notebook does not have the form of a notebook: {_ADVICE}.")
    except (RecursionError, MemoryError):
        return _reject(f"The notebook is nested too deeply or too large to be read: {_ADVICE}.")
    return Triage(notebook, [*repairs, *mended.repairs], mended.flags)


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


def _parse(text: str, repairs: list[str]) -> NotebookNode:
    if text.count("[") + text.count("{") > MAX_NODES:
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
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character; nbgrader could neither compare nor save it
        broken = json.dumps(content, ensure_ascii=False)
        content = json.loads(broken.encode("utf-8", "replace"))
        repairs.append("The file held characters that do not exist; each was replaced by '?'.")
    if not isinstance(content, dict) or type(content.get("nbformat")) is not int:
        raise _Rejected(f"The file is no notebook. {_ASK}")
    return _as_version_4(nbformat.from_dict(content), repairs)


def _as_version_4(notebook: NotebookNode, repairs: list[str]) -> NotebookNode:
    version = notebook.nbformat
    if version < 4:
        try:
            notebook = nbformat.convert(notebook, 4)
        except Exception as error:  # nbformat's upgrades of odd files fail in every possible way
            raise _Rejected(
                f"The notebook has the old format {version} and could not be upgraded: {_ADVICE}."
            ) from error
        repairs.append(f"The notebook had the old format {version}; it was upgraded.")
    elif version > 4:
        # No such format exists yet. If it has cells as format 4 has, the rest is validated below.
        repairs.append(f"The notebook said that it has format {version}; it was read as format 4.")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _normalise(notebook: NotebookNode, repairs: list[str]) -> None:
    """Bring what nbformat can misread into its proper form; anything else is validated later."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise _Rejected(f"The file is no notebook: it has no cells. {_ASK}")
    if len(cells) > MAX_CELLS:
        raise _Rejected(
            f"The notebook has {len(cells)} cells, more than {MAX_CELLS}: delete those that do not "
            "belong to the lab, and hand it in again."
        )
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, NotebookNode) or cell.get("cell_type") not in _CELL_TYPES:
            raise _Rejected(f"Cell {number} is neither code nor text: {_ADVICE}.")
        if not isinstance(cell.get("metadata"), dict):
            cell.metadata = NotebookNode()
        if not isinstance(cell.get("id"), str):
            cell.pop("id", None)
        source = cell.get("source", "")
        lines = source if isinstance(source, list) else [source]
        if not all(isinstance(line, str) for line in lines):
            raise _Rejected(f"Cell {number} holds something else than text: {_ADVICE}.")
        cell.source = "".join(lines)
        for key in cell.keys() - _FIELDS:  # some editors add fields of their own
            del cell[key]
        _outputs(cell, number, repairs)
    if not isinstance(notebook.get("metadata"), dict):
        notebook.metadata = NotebookNode()
    for key in notebook.keys() - {"nbformat", "nbformat_minor", "metadata", "cells"}:
        del notebook[key]


def _outputs(cell: NotebookNode, number: int, repairs: list[str]) -> None:
    """Outputs are made anew by running the notebook, so damaged ones are no loss."""
    if cell.cell_type != "code":
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
        return
    cell.setdefault("outputs", [])
    cell.execution_count = None  # counted anew, too
    try:
        rejoin_lines(NotebookNode(cells=[cell]))
        for output in cell.outputs:
            nbformat.validate(output, ref="output", version=4, version_minor=5)
    except Exception:  # a wrong type anywhere in them
        cell.outputs = []
        repairs.append(f"The saved output of cell {number} was damaged; it was dropped.")


def _validate(notebook: NotebookNode, repairs: list[str]) -> None:
    """Raises nbformat's ValidationError if even without optional metadata it is no notebook."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError:
        for cell in notebook.cells:
            cell.pop("attachments", None)
            cell.metadata = NotebookNode(
                {key: cell.metadata[key] for key in ("nbgrader",) if key in cell.metadata}
            )
        kernel = {k: v for k, v in notebook.metadata.items() if k == "kernelspec"}
        notebook.metadata = NotebookNode(kernel)
        nbformat.validate(notebook)
        repairs.append("Metadata that grading does not need were damaged; they were dropped.")


def _give_ids(notebook: NotebookNode, repairs: list[str]) -> None:
    """Each cell gets an id of its own, as format 4.5 asks."""
    taken = {cell.id for cell in notebook.cells if isinstance(cell.get("id"), str)}
    seen: set[str] = set()
    new = False
    for position, cell in enumerate(notebook.cells):
        name = cell.get("id")
        if not isinstance(name, str) or name in seen or not _CELL_ID.fullmatch(name):
            new = True
            name = f"cell-{position}"
            while name in taken:
                name += "-"
            cell.id = name[:64]
            taken.add(name)
        seen.add(name)
    if new:
        repairs.append("Some cells had no id of their own; they were given one.")


def _kernel(notebook: NotebookNode, master: NotebookNode, repairs: list[str]) -> None:
    """The lab says in which kernel it runs; otherwise a submission could choose any program that
    is installed as one.
    """
    if not isinstance(notebook.metadata.get("kernelspec"), dict):
        repairs.append("The notebook did not say which kernel it is for; the lab's was set.")
    notebook.metadata.pop("kernelspec", None)
    notebook.metadata.pop("language_info", None)  # written anew by the kernel
    if "kernelspec" in master.metadata:
        notebook.metadata["kernelspec"] = master.metadata["kernelspec"]
