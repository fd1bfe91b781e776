"""What is shown of a submission: the feedback pages, and the formgrader's page for marking.

Both are clean pages (`clean_page`). The feedback pages also leave out what is hidden from students,
and say what triage repaired.
"""

from __future__ import annotations

import re
import secrets
from html import escape
from pathlib import Path
from typing import Any

import nbgrader.apps.api
import nbgrader.apps.generatefeedbackapp
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader import utils
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, GetGrades
from nbgrader.server_extensions.formgrader.base import BaseHandler
from nbgrader.server_extensions.formgrader.handlers import (
    SubmissionFilesHandler,
    SubmissionHandler,
)
from traitlets import List, default

from labkit.grading import report
from labkit.grading.clean_page import CleanExporter
from labkit.grading.files import Refused, read_regular

_HIDDEN = {
    "code": "# Hidden tests are part of this cell; they are not shown.",
    "markdown": "*Notes for marking are part of this cell; they are not shown.*",
}

# MathJax is the one script of nbgrader's page. It evaluates its own configuration, and asks
# api.cdnjs.com for its newest version.
_MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/"
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    f"script-src {_MATHJAX} 'unsafe-eval'; font-src {_MATHJAX}; connect-src https://api.cdnjs.com; "
    "base-uri 'none'; form-action 'none'"
)
# The page for marking has scripts, styles and requests of its own, but nothing from elsewhere.
_MARKING_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    f"script-src 'self' 'unsafe-inline' 'unsafe-eval' {_MATHJAX}; font-src 'self' {_MATHJAX}; "
    "connect-src 'self' https://api.cdnjs.com; base-uri 'none'; form-action 'none'"
)

_TIME = re.compile(r"[\w .:+-]+\s*")  # triage has read it
_SECRET = re.compile(r"[0-9a-f]{128}")  # names the page in the exchange; `nbgrader submit` draws it


class FeedbackExporter(CleanExporter):
    """The page that a student gets."""

    links = True

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **kwargs: Any
    ) -> tuple[str, Any]:
        """The page without what is hidden, with what was repaired, and a policy for browsers."""
        html, resources = super().from_notebook_node(nb, resources, **kwargs)
        policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        return html.replace("<head>", f"<head>\n{policy}", 1), resources

    def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        hide = [ClearHiddenTests(parent=self.parent), ClearMarkScheme(parent=self.parent)]
        for cell in nb.cells:
            if utils.is_locked(cell) or utils.is_task(cell):
                _hide(cell, hide)
        repairs = self._repairs(resources["nbgrader"])
        if repairs:
            items = "".join(f"<li>{escape(sentence)}</li>" for sentence in repairs)
            text = f"<b>Before grading, your submission was repaired:</b><ul>{items}</ul>"
            nb.cells.insert(0, new_markdown_cell(text, id="repairs"))
        return super()._preprocess(nb, resources)

    def _repairs(self, names: dict[str, str]) -> list[str]:
        """What triage did to this submission when it was graded last."""
        repairs: list[str] = []
        for entry in report.read(Path(CourseDirectory(parent=self).root)):
            if (entry.get("student"), entry.get("lab")) == (names["student"], names["assignment"]):
                said = entry.get("repairs")
                said = said if isinstance(said, list) else []
                repairs = [" ".join(str(sentence).split()) for sentence in said]
        return repairs


class GetMark(GetGrades):
    """nbgrader's step; a late penalty takes no more points than there are."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Look up the grades, and leave the score at 0 where it would be less."""
        nb, resources = super().preprocess(nb, resources)
        resources["nbgrader"]["score"] = max(0.0, resources["nbgrader"]["score"])
        return nb, resources


class CleanFeedback(GenerateFeedback):
    """`nbgrader generate_feedback` with our page, and nothing beside it."""

    preprocessors = List([GetMark, CSSHTMLHeaderPreprocessor]).tag(config=True)

    @default("exporter_class")
    def _exporter_class_default(self) -> type[HTMLExporter]:
        return FeedbackExporter

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader decides; and a page is made anew that is older than its grading."""
        page = Path(self._format_dest(assignment_id, student_id))
        before = bool(self.force)
        graded = Path(self._format_source(assignment_id, student_id))
        if page.is_dir() and _newest(page, "*.html") < _newest(graded, "*.ipynb"):
            self.force: bool = True
        try:
            return super().init_destination(assignment_id, student_id)
        finally:
            self.force = before

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Only what `release_feedback` reads; nbgrader copies every file, of the source too.

        It stops the class where one submission lacks either of the two, as one does that did not
        come by the exchange.
        """
        source = Path(self._format_source(assignment_id, student_id))
        folder = Path(self._format_dest(assignment_id, student_id))
        folder.mkdir(parents=True, exist_ok=True)
        for name, valid, otherwise in (
            ("timestamp.txt", _TIME, ""),
            ("submission_secret.txt", _SECRET, secrets.token_hex(64)),
        ):
            try:
                text = read_regular(source / name, 1000).decode("ascii")
            except (Refused, UnicodeDecodeError):
                text = ""
            (folder / name).write_text(text if valid.fullmatch(text) else otherwise)


def _newest(folder: Path, pattern: str) -> float:
    return max((path.stat().st_mtime for path in folder.glob(pattern)), default=0.0)


def _hide(cell: NotebookNode, hide: list[Any]) -> None:
    """Take out of a locked cell what students must not see, in its text and in its error."""
    before = cell.source
    try:
        for preprocessor in hide:
            preprocessor.preprocess_cell(cell, {}, 0)
    except RuntimeError:  # delimiters that do not pair up: what is hidden cannot be told
        cell.source = ""
    if cell.source != before:
        note = _HIDDEN.get(cell.cell_type, "")
        cell.source = f"{cell.source.rstrip()}\n\n{note}".lstrip()
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            output.traceback = [output.evalue]


def bind() -> None:
    """Let nbgrader's command and its formgrader show submissions through this module.

    As for grading, nbgrader has no setting for it and looks these names up when it needs them.
    """
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = CleanFeedback
    nbgrader.apps.api.GenerateFeedback = CleanFeedback
    BaseHandler.exporter = property(_formgrader_exporter)
    SubmissionHandler.content_security_policy = property(_confined)
    SubmissionFilesHandler.content_security_policy = property(_sandboxed)


def _formgrader_exporter(handler: BaseHandler) -> CleanExporter:
    """The formgrader's exporter, made once with the settings of its own."""
    made = handler.settings["nbgrader_exporter"]
    if not isinstance(made, CleanExporter):
        made = CleanExporter(config=made.config)
        handler.settings["nbgrader_exporter"] = made
    return made


def _confined(handler: SubmissionHandler) -> str:
    """The page for marking loads nothing from other sites than MathJax's."""
    return f"{BaseHandler.content_security_policy.fget(handler)}; {_MARKING_POLICY}"


def _sandboxed(handler: SubmissionFilesHandler) -> str:
    """A file that was handed in beside a notebook has no part in the formgrader's session."""
    return f"{BaseHandler.content_security_policy.fget(handler)}; sandbox"
