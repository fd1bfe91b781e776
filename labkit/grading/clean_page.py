"""A page of a notebook that nobody should trust: nothing on it runs, loads or grows without end.

A submission decides what is in its text cells and outputs, and the kernel that wrote the outputs
was the student's too. So a notebook is not shown as it is: `CleanExporter` builds a copy from the
parts it knows, of bounded size, and lets through only HTML that can neither run nor load anything.
What parsers make of a part is put into the page last, so that nothing changes it any more.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import Highlight2HTML, ansi2html, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
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
from traitlets import Bool

import labkit
from labkit.grading import formulas, pictures, sanitize
from labkit.grading.page import Page, parts
from labkit.grading.pictures import MAX_PICTURE
from labkit.grading.slow_text import quick

# All in characters.
MAX_SOURCE = 50_000
MAX_TEXT = 20_000
MAX_MARKDOWN = 100_000  # of all text cells; its parser takes a time that grows with the square
MAX_HTML = 500_000

_CUT = "[… shortened: {} more characters are not shown.]"
_TOO_LARGE = "[Too large to be shown here: {}.]"
_FULL = "[Not shown: this page would become too large.]"
_NOT_SHOWN = "[This output cannot be shown here.]"
_LIMITS = {
    "text/html": MAX_HTML,
    "text/markdown": MAX_SOURCE,
    "text/latex": MAX_TEXT,
    "image/svg+xml": MAX_PICTURE,
    "image/png": MAX_PICTURE,
    "image/jpeg": MAX_PICTURE,
}
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell}
_MAX_SIZE = 2_000  # of a picture, in pixels of the page
_FOR_TEXT = 0.2  # of a page is left by outputs for text cells

# What is highlighted. Of the hundreds of languages that are known, some take minutes for a page.
_LANGUAGES = {
    *("bash", "c", "console", "cpp", "css", "html", "ipython", "ipython3", "java", "javascript"),
    *("js", "json", "julia", "latex", "matlab", "octave", "py", "pycon", "python", "python3", "r"),
    *("sh", "shell", "sql", "tex", "yaml"),
}

# nbgrader's pages have no style for tables, large pictures, quotations and coloured prints, and
# its formgrader puts a red border around every picture.
_COLOURS = ("black", "red", "green", "olive", "blue", "purple", "teal", "gray")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_STYLE = (
    "<style>.rendered_html th, .rendered_html td, .dataframe th, .dataframe td {padding: 2px 8px; "
    "vertical-align: top} .rendered_html table {margin-bottom: 1em} .rendered_html blockquote "
    "{font-size: inherit} .rendered_html img, .output img {max-width: 100%; max-height: 4000px; "
    "object-fit: contain; border: 0} .output pre {white-space: pre-wrap} "
    # What is larger than its cell, or beside it, does not cover others.
    ".text_cell_render, .input_area, .output_area {overflow-x: auto; overflow-y: hidden} "
    ".ansi-bold {font-weight: bold} "
    + " ".join(
        f".ansi-{name}-fg, .ansi-{name}-intense-fg {{color: {colour}}}"
        for name, colour in zip(_NAMES, _COLOURS, strict=True)
    )
    + "</style>"
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
        self.filters = {**self.filters, "highlight_code": self.highlight_code}
        self._paths = _host_paths(Path(CourseDirectory(parent=self).root))

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kwargs: Any
    ) -> tuple[str, Any]:
        """The page of a copy of `nb` that holds nothing but known parts of bounded size."""
        self._page = Page(Path(resources["metadata"]["path"]))
        self._parsed = 0
        self._highlight = Highlight2HTML(pygments_lexer=_language(nb), parent=self)
        html, resources = super().from_notebook_node(self._copy(nb), resources, **kwargs)
        head = f"{_STYLE}\n{formulas.configuration(self.links)}\n</head>"
        return self._page.complete(html.replace("</head>", head, 1)), resources

    def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Show marking schemes as quotations; where they are to be hidden, they are gone by now."""
        scheme = ClearMarkScheme(parent=self.parent)
        delimiters = scheme.begin_mark_scheme_delimeter, scheme.end_mark_scheme_delimeter
        for cell in nb.cells:
            if cell.cell_type == "markdown" and (utils.is_locked(cell) or utils.is_task(cell)):
                cell.source = _quoted(cell.source, *delimiters)
        return super()._preprocess(nb, resources)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """nbconvert's; those that make markup keep it apart until the page is ready."""
        yield from super().default_filters()
        yield "ansi2html", self.ansi2html
        yield "clean_html", self.clean_html
        yield "strip_files_prefix", lambda html: html

    def highlight_code(self, source: str, metadata: Any = None) -> str:
        """Code in colours; without, if there is too much of it."""
        html = self._page.parsed(0, self._highlight, source, metadata=metadata)
        if html is None or not self._page.take(0, parts(html)):
            html = f'<div class="highlight"><pre>{escape(source)}</pre></div>'
        return self._page.put(html)

    def ansi2html(self, text: str) -> str:
        """A print in its colours; without, if they cannot be told."""
        html = self._page.parsed(_FOR_TEXT, ansi2html, text)
        return self._page.put(escape(strip_ansi(text)) if html is None else html)

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as clean HTML; as it was written, if the parser gives up or would take long."""
        attachments = context.get("cell", {}).get("attachments", {})
        self._parsed += len(source)
        html = None
        if len(source) <= MAX_TEXT and self._parsed <= MAX_MARKDOWN:
            html = self._page.parsed(0, _rendered, source, attachments)
        if html is not None:
            html = self._cleaned(html, attachments)
        return self._placed(f"<pre>{escape(quick(source))}</pre>" if html is None else html)

    @pass_context
    def clean_html(self, context: Any, html: str) -> str:
        """The HTML of an output, cleaned; a sentence where only a script would have drawn it."""
        if self._page.is_ready(html):
            return html
        cleaned = self._cleaned(html, {}, _FOR_TEXT) or ""
        drawn = "<img" in cleaned or re.sub("<[^>]*>", "", cleaned).strip()
        return self._placed(cleaned if drawn or not html.strip() else _NOT_SHOWN, _FOR_TEXT)

    def _cleaned(self, html: str, attachments: dict[str, Any], spare: float = 0) -> str | None:
        """HTML without anything that runs, loads, or takes part in nbgrader's own page.

        None if a parser gives up, or there is too much of it.
        """
        room = self._page.room - 2 * len(html)

        def address(source: str) -> str | None:
            nonlocal room
            found = self._page.pictures.address(source, attachments, room)
            room -= len(found or "")
            return found

        cleaned = self._page.parsed(spare, sanitize.sanitized, html, self.links, address)
        return None if cleaned is None else quick(cleaned)

    def _placed(self, html: str, spare: float = 0) -> str:
        """Put clean markup into the page, if there is room for it."""
        if not self._page.take(len(html), parts(html), spare):
            return _FULL
        return self._page.put(html if self._page.take_formulas(html) else formulas.unset(html))

    def _copy(self, nb: NotebookNode) -> NotebookNode:
        """A notebook made anew. Sources come first, then tests, so that no flood drowns them."""
        copy = new_notebook(metadata={"language_info": {"name": "python"}})
        copy.cells = [self._cell(index, cell) for index, cell in enumerate(nb.cells)]
        pairs = zip(nb.cells, copy.cells, strict=True)
        for cell, shown in sorted(pairs, key=lambda pair: not utils.is_grade(pair[0])):
            if shown.cell_type == "code":
                shown.outputs = list(self._outputs(cell.get("outputs", [])))
        return copy

    def _cell(self, index: int, cell: NotebookNode) -> NotebookNode:
        source = quick(_shortened(str(cell.source), MAX_SOURCE))
        # Highlighting puts every name into a tag of its own.
        if cell.cell_type == "code" and not self._page.take(25 * len(source)):
            source = f"# {_FULL}"
        shown = _NEW.get(cell.cell_type, new_raw_cell)(source, id=str(index))
        shown.metadata.update(_nbgrader_metadata(cell))
        if cell.cell_type == "code" and isinstance(cell.get("execution_count"), int):
            shown.execution_count = cell.execution_count
        if "attachments" in cell:
            shown["attachments"] = _attachments(cell.attachments)
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
            traceback = "\n".join(map(str, output.get("traceback", []))) or said
            short, long = self._text(said), self._text(traceback)
            if short is None or long is None:
                return None
            return new_output("error", ename="", evalue=short, traceback=[long])
        return self._display(output)

    def _display(self, output: NotebookNode) -> NotebookNode | None:
        offered = output.get("data", {})
        data = {kind: content for kind, content in _known(offered) if self._shows(kind, content)}
        plain = str(offered.get("text/plain", _NOT_SHOWN))
        if not data and (lost := _lost(offered)):
            plain = f"{_shortened(plain, MAX_TEXT)}\n{lost}"
        shown = self._text(plain)
        for kind in data:
            if kind.startswith("text/"):
                data[kind] = self._paths.sub("…", data[kind])
        # HTML and markdown are counted when they have been cleaned.
        rest = sum(len(data[kind]) for kind in set(data) - {"text/html", "text/markdown"})
        if shown is None or not self._page.take(2 * rest, spare=_FOR_TEXT):
            return None
        sizes = {kind: _size(output.get("metadata", {}).get(kind)) for kind in data}
        result = output.output_type == "execute_result"
        made = "execute_result" if result else "display_data"
        return new_output(made, {**data, "text/plain": shown}, metadata=sizes)

    def _shows(self, kind: str, content: str) -> bool:
        """Whether there is room for a picture or formula, which it then takes."""
        family, _, name = kind.partition("/")
        if family == "image":
            return self._page.pictures.can_be_shown(name, content)
        if kind == "text/latex":
            return content == quick(content) and self._page.take_formulas(content)
        return True

    def _text(self, text: str) -> str | None:
        """Text of an output, shortened, without paths of this machine; None if it does not fit."""
        text = quick(self._paths.sub("…", _shortened(text, MAX_TEXT)))
        # 500 and 40 characters are what the markup around an output, and for a colour, may take.
        # nbconvert checks its format a dozen times: that is work for a hundred parts.
        colours = text.count("\x1b")
        characters = 500 + len(escape(text)) + 40 * colours
        fits = self._page.take(characters, 100 + parts(text) + colours, _FOR_TEXT)
        return text if fits else None


class _Renderer(IPythonRenderer):
    """nbconvert's, but for pictures, which are looked up later, and the languages of code."""

    def image(self, *args: Any, **kwargs: Any) -> str:
        """A picture by the name that it has in the text."""
        return super(IPythonRenderer, self).image(*args, **kwargs)

    def block_code(self, code: str, info: str | None = None) -> str:
        """Code in colours, if its language is a known one."""
        language = (info or "").lower().split()[:1]
        if _LANGUAGES.isdisjoint(language):
            return super(IPythonRenderer, self).block_code(code)
        return super().block_code(code, info)


def _rendered(markdown: str, attachments: dict[str, Any]) -> str:
    """Markdown as HTML."""
    renderer = _Renderer(escape=False, exclude_anchor_links=True)
    source = pictures.with_addresses(markdown, attachments)
    return MarkdownWithMath(renderer=renderer).render(source)


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


def _known(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Those kinds of content that a page can show, and that are not too large."""
    found = [(kind, data.get(kind), limit) for kind, limit in _LIMITS.items()]
    return [
        (kind, text) for kind, text, limit in found if isinstance(text, str) and len(text) <= limit
    ]


def _lost(data: dict[str, Any]) -> str:
    """What to say of content that cannot be shown."""
    offered = [kind for kind in _LIMITS if kind in data]
    large = [kind for kind in offered if len(str(data[kind])) > _LIMITS[kind]]
    if large:
        return _TOO_LARGE.format(", ".join(large))
    return sanitize.NO_PICTURE if any(kind.startswith("image/") for kind in offered) else ""


def _attachments(attached: Any) -> dict[str, dict[str, str]]:
    """The pictures among attachments, by name and kind."""
    named = attached.items() if isinstance(attached, dict) else ()
    return {
        name: {
            kind: content
            for kind, content in kinds.items()
            if kind.startswith("image/")
            and isinstance(content, str)
            and len(content) <= MAX_PICTURE
        }
        for name, kinds in named
        if isinstance(kinds, dict)
    }


def _language(nb: NotebookNode) -> str:
    """Which language is to be highlighted."""
    known = nb.metadata.get("language_info")
    known = known if isinstance(known, dict) else {}
    name = str(known.get("pygments_lexer", known.get("name", "python"))).lower()
    return name if name in _LANGUAGES else "text"


def _nbgrader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader's templates read of a cell; they print its name without escaping it."""
    known = cell.metadata.get("nbgrader")
    if not isinstance(known, dict) or not re.fullmatch(r"[\w-]+", str(known.get("grade_id"))):
        return {}
    flags = {key: bool(known.get(key)) for key in ("grade", "solution", "task", "locked")}
    return {"nbgrader": {"grade_id": known["grade_id"], "points": known.get("points"), **flags}}


def _size(metadata: Any) -> dict[str, int]:
    """The size in pixels at which a picture is to be shown: plain numbers, and nothing else."""
    known = metadata if isinstance(metadata, dict) else {}
    sizes = {key: known.get(key) for key in ("width", "height")}
    return {key: size for key, size in sizes.items() if type(size) is int and 0 < size <= _MAX_SIZE}


def _host_paths(course: Path) -> re.Pattern[str]:
    """Folders of this machine that tracebacks and warnings name."""
    folders = {course.resolve(), Path.home(), Path(sys.prefix), Path(sys.base_prefix)}
    folders.add(Path(labkit.__file__).parent.parent)
    common = {Path(name) for name in ("/", "/usr", "/usr/local")}
    names = sorted(map(str, folders - common), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)) or r"(?!)")
