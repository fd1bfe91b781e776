"""Pictures of a submission: those that a page can show, as data: addresses.

A small file can hold a picture that takes gigabytes of memory, or a drawing that draws itself a
million times. So a picture is shown only if it can be told before how much it is.
"""

from __future__ import annotations

import base64
import io
import os
import re
import unicodedata
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.parsers import expat

from PIL import Image

from labkit.grading.files import Refused, read_regular

MAX_PICTURE = 2_000_000  # characters of one picture
MAX_PIXELS = 100_000_000  # of all pictures of a page together
MAX_SHAPES = 60_000  # of all drawings of a page, each counted as often as it is used

_FORMS = {"png": "PNG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
_KINDS = ("svg+xml", *_FORMS)  # of several kinds of one attachment, the first is shown
_SUFFIXES = {".jpg": "jpeg", ".svg": "svg+xml", **{f".{kind}": kind for kind in _FORMS}}
# As <img>, an SVG neither runs scripts nor loads anything.
ADDRESSES = tuple(f"data:image/{kind};base64," for kind in _KINDS)
_UNQUOTED = "!'()*~"  # by browsers
_ADDRESS = re.compile(r"data:image/([a-z+]+);base64,")


class Pictures:
    """The pictures of one page, which share a number of pixels and one of shapes.

    Args:
        folder: where the notebook lies; pictures beside it can be shown.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._left = {"pixels": MAX_PIXELS, "shapes": MAX_SHAPES}
        self._read: dict[str, str | None] = {}

    def address(self, source: str, attachments: dict[str, Any], room: int) -> str | None:
        """The data: address of what an <img> names; None if it cannot be shown.

        Args:
            source: a data: address, "attachment:" and a name, or the name of a file.
            attachments: those of the cell, by name.
            room: how many characters the address may have.
        """
        limit = min(MAX_PICTURE, room)
        if source.startswith("attachment:"):
            source = _attached(source.removeprefix("attachment:"), attachments)
        elif not source.startswith("data:"):
            if source not in self._read:
                self._read[source] = _beside(self._folder, unquote(source), limit * 3 // 4)
            source = self._read[source] or ""
        kind = _ADDRESS.match(source)
        if kind is None or "<" in source or len(source) > limit:
            return None
        return source if self.can_be_shown(kind[1], source[kind.end() :]) else None

    def can_be_shown(self, kind: str, content: str) -> bool:
        """Whether there is a picture, and room for it on the page, which it then takes.

        Args:
            kind: "png", "jpeg", "gif", "webp" or "svg+xml".
            content: in base64, or the text of an SVG.
        """
        try:
            taken = _measured(kind, content.encode() if "<" in content else _decoded(content))
        except Exception:  # whatever a parser says of what is no picture
            return False
        fits = all(taken[what] <= left for what, left in self._left.items())
        if fits:
            self._left = {what: left - taken[what] for what, left in self._left.items()}
        return fits


def with_addresses(markdown: str, attachments: dict[str, Any]) -> str:
    """Markdown in which attachments are named as in an address, whatever is in their names.

    A space ends an address in Markdown, and so may a parenthesis.
    """
    start, end = r"(\](?:\(|:)\s*<?attachment:)", r"(?=>|\s|\)|$)"
    for name in sorted(attachments, key=len, reverse=True):
        if not re.fullmatch(r"[\w.-]*", name):
            spelled = f"(?:{re.escape(name)}|{re.escape(quote(name, safe=_UNQUOTED))})"
            named = re.compile(start + spelled + end, re.MULTILINE)
            markdown = named.sub(rf"\g<1>{quote(name, safe='')}", markdown)
    return markdown


def _attached(name: str, attachments: dict[str, Any]) -> str:
    """The data: address of an attachment, by its name or by that as it is written in an address."""
    alike = {unicodedata.normalize("NFC", known): known for known in attachments}
    for spelling in (name, unquote(name)):
        known = alike.get(unicodedata.normalize("NFC", spelling), spelling)
        kinds = attachments.get(spelling, attachments.get(known, {}))
        for kind in _KINDS:
            if content := kinds.get(f"image/{kind}"):
                # An SVG may be there as it is.
                held = _encoded(content.encode()) if "<" in content else "".join(content.split())
                return f"data:image/{kind};base64,{held}"
    return ""


def _beside(folder: Path, name: str, limit: int) -> str | None:
    """A file inside a folder as a data: address; None if it is no picture, or too large."""
    path = Path(os.path.normpath(folder / name))
    kind = _SUFFIXES.get(path.suffix.lower())
    try:
        if kind is None or not path.resolve().is_relative_to(folder):
            return None
        return f"data:image/{kind};base64,{_encoded(read_regular(path, limit))}"
    except (Refused, OSError, ValueError):
        return None


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _decoded(content: str) -> bytes:
    return base64.b64decode("".join(content.split()), validate=True)


def _measured(kind: str, content: bytes) -> dict[str, int]:
    """How many pixels and shapes a picture has."""
    if kind != "svg+xml":
        return {"pixels": _pixels(kind, content), "shapes": 0}
    drawing = _Drawing(content)
    found = [_ADDRESS.match(link) for link in drawing.pictures if link.startswith("data:")]
    pixels = [_pixels(one[1], _decoded(one.string[one.end() :])) for one in found if one]
    if len(pixels) < len(found):
        raise ValueError("There is something else than a picture in it.")
    return {"pixels": sum(pixels), "shapes": drawing.shapes()}


def _pixels(kind: str, content: bytes) -> int:
    """How many pixels a picture has, as it says itself."""
    file, forms = io.BytesIO(content), [_FORMS[kind]]
    with warnings.catch_warnings(action="ignore"), Image.open(file, formats=forms) as image:
        return image.width * image.height


class _Drawing:
    """What an SVG is made of.

    Raises:
        ValueError: it is too much, or what is in it may be any amount of work.
    """

    def __init__(self, content: bytes) -> None:
        self.pictures: list[str] = []  # addresses of those inside the drawing
        self._inside: list[list[int]] = []  # which elements are in an element
        self._uses: dict[int, list[str]] = {}
        self._ids: dict[str, int] = {}
        self._stamps: list[int] = []
        self._open: list[int] = []
        self._letters = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda name: self._open.pop()
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._refuse
        parser.Parse(content, True)

    def shapes(self) -> int:
        """How many shapes are drawn, if all that is defined is drawn once."""
        weights: dict[int, int] = {}
        if any(self._weight(stamp, weights) > 20 for stamp in self._stamps):
            self._refuse()  # a line is drawn with one at each of its points
        return self._weight(0, weights) + self._letters

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name, element = name.rpartition(":")[2], len(self._inside)
        if element > MAX_SHAPES or len(self._open) > 100 or name in ("filter", "foreignObject"):
            self._refuse()
        if self._open:
            self._inside[self._open[-1]].append(element)
        self._open.append(element)
        self._inside.append([])
        self._ids.setdefault(attributes.get("id", ""), element)
        # Any prefix may stand for the namespace of links.
        links = [each for key, each in attributes.items() if key.rpartition(":")[2] == "href"]
        if name == "use":
            self._uses[element] = [link.removeprefix("#") for link in links]
        elif name == "image":
            self.pictures += links
        elif name in ("marker", "mask", "pattern"):
            self._stamps.append(element)

    def _text(self, text: str) -> None:
        self._letters += len(text.strip())

    def _weight(self, element: int, known: dict[int, int]) -> int:
        """How many shapes an element draws."""
        if element not in known:
            known[element] = MAX_SHAPES + 1  # of one that uses itself
            used = [self._ids[name] for name in self._uses.get(element, ()) if name in self._ids]
            parts = [*self._inside[element], *used]
            known[element] = 1 + sum(self._weight(part, known) for part in parts)
        return known[element]

    def _refuse(self, *_: object) -> None:
        raise ValueError("A browser may draw this for a long time.")
