"""A page of a notebook that nobody should trust: nothing on it runs, loads or grows without end.

A submission decides what is in its text cells and outputs, and the kernel that wrote the outputs
was the student's too. So a notebook is not shown as it is: `CleanExporter` builds a copy from the
parts it knows, of bounded size, and lets through only HTML that can neither run nor load anything.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import bleach
from bleach.css_sanitizer import CSSSanitizer
from bs4 import BeautifulSoup, Tag
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearMarkScheme
from pygments.token import STANDARD_TYPES
from traitlets import Bool

import labkit
from labkit.grading.files import Refused, read_regular

# All in characters. A page also has about 150,000 of nbgrader's own.
MAX_SOURCE = 50_000
MAX_TEXT = 20_000
MAX_MARKDOWN = 100_000  # of all text cells; its parser takes a time that grows with the square
MAX_HTML = 500_000
MAX_PICTURE = 2_000_000
MAX_PAGE = 10_000_000
_MAX_TAGS, _MAX_DEPTH = 5_000, 30  # of one piece of HTML; parsers take long over more

_CUT = "[… shortened: {} more characters are not shown.]"
_TOO_LARGE = "[Too large to be shown here: {}.]"
_FULL = "[Not shown: this page would become too large.]"
_NOT_SHOWN = "[This output cannot be shown here.]"
_NO_PICTURE = "[This picture cannot be shown here.]"
_SUFFIXES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".svg": "svg+xml"}
# As <img>, an SVG neither runs scripts nor loads anything.
_PICTURES = tuple(f"data:image/{kind};base64," for kind in {*_SUFFIXES.values(), "webp"})
_LIMITS = {
    "text/html": MAX_HTML,
    "text/markdown": MAX_SOURCE,
    "text/latex": MAX_TEXT,
    "image/svg+xml": MAX_PICTURE,
    "image/png": MAX_PICTURE,
    "image/jpeg": MAX_PICTURE,
}
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell}

# fmt: off
_TAGS = {
    *bleach.ALLOWED_TAGS,
    "br", "caption", "cite", "col", "colgroup", "dd", "del", "details", "div", "dl", "dt",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "ins", "kbd", "mark",
    "p", "pre", "q", "s", "samp", "small", "span", "sub", "summary", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "u", "var",
}
_WITHOUT_CONTENT = [
    "script", "style", "template", "textarea", "title", "noscript", "iframe", "object", "svg",
    "math",
]
# fmt: on
_ATTRIBUTES = {"align", "alt", "border", "colspan", "height", "rowspan", "start", "title", "width"}
# No id and no other class: nbgrader's scripts find what they mark by these.
_CLASSES = {"dataframe", "highlight", *STANDARD_TYPES.values()}
_STYLES = ["background-color", "color", "font-style", "font-weight", "text-align"]

# nbgrader's pages have no style for tables, large pictures, quotations and coloured prints, and
# its formgrader puts a red border around every picture.
_COLOURS = ("black", "red", "green", "olive", "blue", "purple", "teal", "gray")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_STYLE = (
    "<style>.rendered_html th, .rendered_html td, .dataframe th, .dataframe td {padding: 2px 8px; "
    "vertical-align: top} .rendered_html table {margin-bottom: 1em} .rendered_html blockquote "
    "{font-size: inherit} .rendered_html img, .output img {max-width: 100%; border: 0} "
    ".output pre {white-space: pre-wrap} "
    ".ansi-bold {font-weight: bold} "
    + " ".join(
        f".ansi-{name}-fg, .ansi-{name}-intense-fg {{color: {colour}}}"
        for name, colour in zip(_NAMES, _COLOURS, strict=True)
    )
    + "</style>"
)


def _allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute stays."""
    if name == "src":
        return tag == "img" and value.startswith(_PICTURES)
    if name == "href":
        return tag == "a" and re.match(r"https?://|mailto:", value) is not None
    if name == "class":
        return _CLASSES.issuperset(value.split())
    return name in _ATTRIBUTES or name == "style"


_CLEANER = bleach.Cleaner(
    tags=_TAGS,
    attributes=_allowed,
    protocols={"http", "https", "mailto", "data"},
    strip=True,
    css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES),
)


class CleanExporter(HTMLExporter):
    """nbconvert's page of a notebook, for notebooks that nobody should trust."""

    # A link to the formgrader itself may name a folder whose configuration it then runs, and so do
    # other sites' links by a detour. Where an instructor is logged in, addresses are mere text.
    links = False
    sanitize_html = Bool(True)  # not to be configured
    exclude_anchor_links = Bool(True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._paths = _host_paths(Path(CourseDirectory(parent=self).root))

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kwargs: Any
    ) -> tuple[str, Any]:
        """The page of a copy of `nb` that holds nothing but known parts of bounded size."""
        self._room, self._parsed = MAX_PAGE, 0
        html, resources = super().from_notebook_node(self._copy(nb), resources, **kwargs)
        return html.replace("</head>", f"{_STYLE}\n</head>", 1), resources

    def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Show marking schemes as quotations; where they are to be hidden, they are gone by now."""
        scheme = ClearMarkScheme(parent=self.parent)
        delimiters = scheme.begin_mark_scheme_delimeter, scheme.end_mark_scheme_delimeter
        for cell in nb.cells:
            if cell.cell_type == "markdown" and (utils.is_locked(cell) or utils.is_task(cell)):
                cell.source = _quoted(cell.source, *delimiters)
        return super()._preprocess(nb, resources)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """nbconvert's; ours cleans, and nothing is changed after it."""
        yield from super().default_filters()
        yield "clean_html", self.clean_html
        yield "strip_files_prefix", lambda html: html

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as clean HTML; as it was written, if the parser gives up or would take long."""
        html = f"<pre>{escape(source)}</pre>"
        self._parsed += len(source)
        if len(source) <= MAX_TEXT and self._parsed <= MAX_MARKDOWN:
            with contextlib.suppress(Exception):  # a missing attachment, nesting without end
                html = super().markdown2html(context, source)
        return self._clean(context, html)

    @pass_context
    def clean_html(self, context: Any, html: str) -> str:
        """The HTML of an output, cleaned; a sentence where only a script would have drawn it."""
        cleaned = self._clean(context, html)
        drawn = "<img" in cleaned or BeautifulSoup(cleaned, "html.parser").text.strip()
        return cleaned if drawn or not html.strip() else _NOT_SHOWN

    def _clean(self, context: Any, html: str) -> str:
        """HTML without anything that runs, loads, or takes part in nbgrader's own page."""
        if html.count("<") > 2 * _MAX_TAGS:
            return _NOT_SHOWN
        soup = BeautifulSoup(html, "html.parser")
        for tag in soup(_WITHOUT_CONTENT):
            tag.decompose()
        if any(sum(1 for _ in tag.parents) > _MAX_DEPTH for tag in soup(True)):
            return _NOT_SHOWN
        folder = Path(context["resources"]["metadata"]["path"])
        for link in soup("a") if not self.links else []:
            link.append(f" [{link.get('href', '')}]")
            link.unwrap()
        left = self._room - 2 * len(html)
        for picture in soup("img"):
            left -= _embed(picture, folder, left)
        cleaned = _CLEANER.clean(str(soup))
        return cleaned if self._take(max(len(html), len(cleaned))) else _FULL

    def _take(self, size: int) -> bool:
        """Use up some of the page, if there is as much left."""
        fits = size <= self._room
        self._room -= size if fits else 0
        return fits

    def _copy(self, nb: NotebookNode) -> NotebookNode:
        """A notebook made anew. Sources come first, then tests, so that no flood drowns them."""
        copy = new_notebook(metadata={"language_info": _language(nb)})
        copy.cells = [self._cell(index, cell) for index, cell in enumerate(nb.cells)]
        pairs = zip(nb.cells, copy.cells, strict=True)
        for cell, shown in sorted(pairs, key=lambda pair: not utils.is_grade(pair[0])):
            if shown.cell_type == "code":
                shown.outputs = list(self._outputs(cell.get("outputs", [])))
        return copy

    def _cell(self, index: int, cell: NotebookNode) -> NotebookNode:
        source = _shortened(str(cell.source), MAX_SOURCE)
        # Highlighting puts every name into a tag of its own.
        if cell.cell_type == "code" and not self._take(25 * len(source)):
            source = f"# {_FULL}"
        shown = _NEW.get(cell.cell_type, new_raw_cell)(source, id=str(index))
        shown.metadata.update(_nbgrader_metadata(cell))
        if cell.cell_type == "code" and isinstance(cell.get("execution_count"), int):
            shown.execution_count = cell.execution_count
        if "attachments" in cell:
            shown["attachments"] = {
                name: pictures
                for name, attached in cell.attachments.items()
                if (pictures := _within_limits(attached, "image/"))
            }
        return shown

    def _outputs(self, outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
        for output in outputs:
            shown = self._output(output)
            if shown is None:
                yield new_output("stream", name="stdout", text=_FULL)
                return
            yield shown

    def _output(self, output: NotebookNode) -> NotebookNode | None:
        """A known part of an output; None if it does not fit on the page."""
        if output.output_type == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            printed = self._text(str(output.text))
            return None if printed is None else new_output("stream", name=name, text=printed)
        if output.output_type == "error":
            said = ": ".join(str(output[key]) for key in ("ename", "evalue") if output.get(key))
            parts = [said, "\n".join(map(str, output.get("traceback", []))) or said]
            short, long = map(self._text, parts)
            if short is None or long is None:
                return None
            return new_output("error", ename="", evalue=short, traceback=[long])
        return self._display(output)

    def _display(self, output: NotebookNode) -> NotebookNode | None:
        offered = output.get("data", {})
        data = _within_limits(offered)
        plain = str(offered.get("text/plain", _NOT_SHOWN))
        if not data and (large := [kind for kind in _LIMITS if kind in offered]):
            plain = f"{_shortened(plain, MAX_TEXT)}\n{_TOO_LARGE.format(', '.join(large))}"
        shown = self._text(plain)
        for kind in data:
            if kind.startswith("text/"):
                data[kind] = self._paths.sub("…", data[kind])
        # HTML and markdown are counted when they have been cleaned.
        rest = sum(len(data[kind]) for kind in set(data) - {"text/html", "text/markdown"})
        if shown is None or not self._take(2 * rest):
            return None
        sizes = {kind: _size(output.get("metadata", {}).get(kind)) for kind in data}
        result = output.output_type == "execute_result"
        made = "execute_result" if result else "display_data"
        return new_output(made, {**data, "text/plain": shown}, metadata=sizes)

    def _text(self, text: str) -> str | None:
        """Text of an output, shortened, without paths of this machine; None if it does not fit."""
        text = self._paths.sub("…", _shortened(text, MAX_TEXT))
        # 500 and 40 are what the markup around an output, and for a colour, may take.
        cost = 500 + len(escape(text)) + 40 * text.count("\x1b")
        return text if self._take(cost) else None


def _quoted(markdown: str, begin: str, end: str) -> str:
    """Markdown whose lines between delimiters are a quotation, in place of the delimiters."""
    lines, inside = [], False
    for line in markdown.split("\n"):
        if begin in line or end in line:
            inside = begin in line
            lines.append("")
        else:
            lines.append(f"> {line}" if inside else line)
    return "\n".join(lines)


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n{_CUT.format(len(text) - limit)}"


def _within_limits(data: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Those kinds of content that can be shown, and are not too large."""
    return {
        kind: data[kind]
        for kind, limit in _LIMITS.items()
        if kind.startswith(prefix) and isinstance(data.get(kind), str) and len(data[kind]) <= limit
    }


def _language(nb: NotebookNode) -> dict[str, str]:
    """Which language is to be highlighted."""
    known = nb.metadata.get("language_info")
    name = str(known.get("pygments_lexer", known.get("name"))) if isinstance(known, dict) else ""
    return {"name": name if re.fullmatch(r"\w+", name) else "python"}


def _nbgrader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader's templates read of a cell; they print its name without escaping it."""
    known = cell.metadata.get("nbgrader")
    if not isinstance(known, dict) or not re.fullmatch(r"[\w-]+", str(known.get("grade_id"))):
        return {}
    flags = {key: bool(known.get(key)) for key in ("grade", "solution", "task", "locked")}
    return {"nbgrader": {"grade_id": known["grade_id"], "points": known.get("points"), **flags}}


def _size(metadata: Any) -> dict[str, int]:
    """The size in pixels at which a picture is to be shown: plain numbers, and nothing else."""
    if not isinstance(metadata, dict):
        return {}
    return {key: metadata[key] for key in ("width", "height") if isinstance(metadata.get(key), int)}


def _embed(picture: Tag, folder: Path, room: int) -> int:
    """Put a picture that lies beside the notebook into the page; leave a word for any other.

    Returns:
        How much of the page's room it takes.
    """
    source = str(picture.get("src", ""))
    if not source.startswith("data:"):
        source = _beside(folder, unquote(source)) or ""
    if source.startswith(_PICTURES) and len(source) <= min(MAX_PICTURE, room):
        picture["src"] = source
        return len(source)
    picture.replace_with(_NO_PICTURE)
    return 0


def _beside(folder: Path, name: str) -> str | None:
    """A picture inside a folder as a data: address; None for anything else."""
    folder = folder.resolve()
    path = Path(os.path.normpath(folder / name))
    kind = _SUFFIXES.get(path.suffix.lower())
    try:
        if kind is None or not path.resolve().is_relative_to(folder):
            return None
        content = read_regular(path, MAX_PICTURE * 3 // 4)
    except (Refused, OSError, ValueError):
        return None
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _host_paths(course: Path) -> re.Pattern[str]:
    """Folders of this machine that tracebacks and warnings name."""
    folders = {course.resolve(), Path.home(), Path(sys.prefix), Path(sys.base_prefix)}
    folders.add(Path(labkit.__file__).parent.parent)
    common = {Path(name) for name in ("/", "/usr", "/usr/local")}
    names = sorted(map(str, folders - common), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)) or r"(?!)")
