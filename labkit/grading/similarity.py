"""`labkit similarity`: whose code is alike, as a reason to look and never as a verdict.

What students wrote themselves is compared by copydetect (winnowing of code whose names, strings and
comments have been taken out; Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for
Document Fingerprinting", SIGMOD 2003), which runs as a program of its own. Lines that the release
has given are left out before; what else is made of given code, copydetect leaves out.

copydetect takes a string for one letter, whatever is in it. So each cell ends its own strings, and
programs in strings are compared like code.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

from nbformat import NotebookNode
from nbgrader import utils
from pygments.lexers import PythonLexer
from pygments.token import Name
from rich.console import Console
from rich.table import Table
from rich.text import Text

import labkit
from labkit.errors import InputError
from labkit.grading import notebooks
from labkit.grading.course import Folders, tree
from labkit.grading.files import Refused, quoted, read_regular
from labkit.grading.notebooks import grade_id
from labkit.grading.triage import examine

REFERENCE = "the reference solution"
OWN = "labkit's own code"
SHARE = 25  # per cent; what is less is no reason to look (docs/instructors.md has the figures)
PASSAGE = 50  # characters of code without names, strings and comments
ROWS = 20  # of the table in the terminal
LEAST = 100  # such characters that two have in common in all
MAX_CODE = 200_000  # characters of a submission's code cells
TIMEOUT = 3600  # seconds

_STATEMENTS = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AugAssign, ast.For, ast.Return)
# Lines that IPython does not give to Python: magics, commands of the shell, questions.
_ESCAPE = re.compile(r"^[ \t]*(?:[^=#'\"\n]*=[ \t]*)?[!%?].*$|^.*\?[ \t]*$", re.MULTILINE)
_MARK = "labkit_was_here"
_DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

Code = list[tuple[str, bool]]  # pieces of a text, and whether each is shared


@dataclass(frozen=True)
class Pair:
    """A student whose code is partly the code of another one, or of the course.

    Args:
        student: whose.
        other: another student, `REFERENCE` or `OWN`.
        share: of the student's code that the other one has too, 0 to 1.
        back: of the other's code that the student has too.
        common: how long all shared passages are together, in characters of code as compared.
        code, other_code: of both, the shared passages marked.
    """

    student: str
    other: str
    share: float
    back: float
    common: int
    code: Code
    other_code: Code

    def longest(self) -> int:
        """The lines of the longest shared passage in the student's code."""
        lines = (len(text.strip().splitlines()) for text, shared in self.code if shared)
        return max(lines, default=0)


@dataclass
class Found:
    """What came of a lab: pairs, the most alike first, and who was compared.

    `blank` wrote no code; `skipped` could not be read, for the reason given.
    """

    lab: str
    pairs: list[Pair] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def find(course: Path, lab: str, share: float = SHARE) -> Found:
    """Compare the submissions of a lab with each other and with the course's own code.

    Args:
        course: an nbgrader course folder; it is only read.
        lab: the assignment.
        share: per cent of a student's own code from which on a pair is named.

    Raises:
        InputError: copydetect is not installed or failed; there is no release of the lab, or
            nothing was handed in.
    """
    if find_spec("copydetect") is None:
        raise InputError("labkit similarity needs copydetect: pip install 'labkit[similarity]'")
    folders = Folders.of(course)
    given = _release(folders, lab)
    stubs = _stubs(given)
    found, written = _submissions(folders, lab, given, stubs)
    ours = dict(_of_the_course(folders, lab, stubs))
    found.pairs = compare(written, ours, stubs[None], share)
    return found


def compare(
    students: Mapping[str, str], ours: Mapping[str, str], given: str, share: float = SHARE
) -> list[Pair]:
    """Run copydetect.

    Args:
        students: what each has written.
        ours: what each is held against, but not among themselves.
        given: code that everybody was given.
        share: per cent from which on a pair is named.

    Raises:
        InputError: copydetect failed.
    """
    texts = [*students.items(), *ours.items()]
    if not students or len(texts) < 2:
        return []
    with tempfile.TemporaryDirectory(prefix="labkit-") as private:
        folder = Path(private)
        for name in ("students", "ours", "given"):
            (folder / name).mkdir()
        (folder / "given" / "given.py").write_text(given, encoding="utf-8")
        # Numbers stand for names, which could be anything.
        for number, (_, text) in enumerate(texts):
            where = folder / ("students" if number < len(students) else "ours")
            (where / f"{number}.py").write_text(text, encoding="utf-8", newline="\n")
        page = _Page(texts)
        page.feed(_run(folder, share))
        page.close()
    enough = [pair for pair in page.pairs if pair.common >= LEAST]
    return sorted(enough, key=lambda pair: (-max(pair.share, pair.back), pair.student, pair.other))


def _run(folder: Path, share: float) -> str:
    """The page that copydetect makes of the files in a folder."""
    words = {
        "-t": ["students"],
        "-r": ["students", *(["ours"] if any((folder / "ours").iterdir()) else [])],
        "-b": ["given"],
        "-e": ["py"],
        "-n": [str(PASSAGE)],  # the shortest passage that counts,
        "-g": [str(PASSAGE)],  # and from which on none is overlooked
        "-d": [str(share / 100)],
        "-O": ["page.html"],
        "-a": [],  # do not open a browser
    }
    arguments = [word for option, values in words.items() for word in (option, *values)]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "copydetect", *arguments],
            cwd=folder,
            env={**os.environ, "MPLBACKEND": "agg", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"copydetect did not come to an end in {TIMEOUT} seconds") from None
    page = folder / "page.html"
    if done.returncode or not page.is_file():
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise InputError(f"copydetect failed: {said}")
    return page.read_text(encoding="utf-8")


class _Page(HTMLParser):
    """Reads the pairs from copydetect's page, of the version that the extra names."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.texts = texts  # by the numbers that the files are named by
        self.pairs: list[Pair] = []
        self._in_pair = False
        self._inside = ""  # the tag whose text comes next
        self._shared = False
        self._start()

    def _start(self) -> None:
        self._files: list[str] = []
        self._shares: list[float] = []
        self._common = 0
        self._codes: list[Code] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "td":
            self._in_pair = True
            self._start()
        elif tag == "code":
            self._codes.append([])
        self._shared = tag == "span"
        self._inside = "code" if tag == "span" else tag

    def handle_endtag(self, tag: str) -> None:
        self._shared, self._inside = False, "code" if tag == "span" else ""
        if tag == "td":
            self._in_pair = False
            self.pairs.append(self._pair())

    def handle_data(self, data: str) -> None:
        if not self._in_pair:
            return
        if self._inside == "i":
            self._files.append(data)
        elif self._inside == "b":
            self._shares.append(float(data.rstrip("%")) / 100)
        elif self._inside == "code":
            self._codes[-1].append((data, self._shared))
        elif "Token overlap: " in data:
            self._common = int(data.rpartition(" ")[2])

    def _pair(self) -> Pair:
        numbers = [int(Path(file).stem) for file in self._files]
        (first, text), (second, other_text) = (self.texts[number] for number in numbers)
        share, back = (min(1.0, value) for value in self._shares)
        code, other = self._codes
        code, other = _faithful(code, text), _faithful(other, other_text)
        if second not in (REFERENCE, OWN) and (back, first) > (share, second):
            return Pair(second, first, back, share, self._common, other, code)
        return Pair(first, second, share, back, self._common, code, other)


def _faithful(code: Code, text: str) -> Code:
    """A text with its passages; without them where copydetect, which misplaces the end of one that
    ends with the name of a class, has changed the text.
    """
    return code if "".join(piece for piece, _ in code) == text else [(text, False)]


def show(found: Found, page: Path, console: Console) -> None:
    """Print a short table, who was not compared, and where the page is."""
    if found.pairs:
        table = Table(title="Most alike: a reason to look, not a verdict")
        table.add_column("student", overflow="fold")
        table.add_column("shares code with", overflow="fold")
        for name in ("of the first", "of the other", "longest"):
            table.add_column(name, justify="right")
        for pair in found.pairs[:ROWS]:
            table.add_row(
                Text(quoted(pair.student)[1:-1]),
                Text(pair.other if pair.other in (REFERENCE, OWN) else quoted(pair.other)[1:-1]),
                f"{pair.share:.0%}",
                f"{pair.back:.0%}",
                f"{pair.longest()} lines",
            )
        console.print(table)
        if len(found.pairs) > ROWS:
            console.print(f"{len(found.pairs) - ROWS} more pairs are on the page.")
    else:
        console.print("Nobody's code has much in common with another's, or with the course's own.")
    console.print(f"{len(found.compared)} submissions were compared.")
    if found.blank:
        console.print(f"{len(found.blank)} hold no code of their own.")
    for student, reason in found.skipped.items():
        console.print(Text(f"{quoted(student)[1:-1]}: {reason}"))
    console.print(Text(f"The page: {page}"), soft_wrap=True)


# -- what is compared ------------------------------------------------------------------------------


def _release(folders: Folders, lab: str) -> dict[str, NotebookNode]:
    """What students were given, by the name of the notebook."""
    where = folders.release(lab)
    found = {path.stem: notebooks.read(path) for path in sorted(where.glob("*.ipynb"))}
    if not found:
        raise InputError(
            f"there is no release of {lab} in {where}: run `nbgrader generate_assignment {lab}`, "
            "so that it is known what students were given"
        )
    return found


def _stubs(given: Mapping[str, NotebookNode]) -> dict[str | None, str]:
    """What each cell of a lab held, by its grade_id; by None, all code that was given."""
    cells = [cell for book in given.values() for cell in book.cells if cell.cell_type == "code"]
    return {
        **{grade_id(cell): cell.source for cell in cells},
        None: "\n\n".join(cell.source for cell in cells),
    }


def _of_the_course(
    folders: Folders, lab: str, stubs: Mapping[str | None, str]
) -> Iterator[tuple[str, str]]:
    """The reference solution, and the parts of labkit that the lab withholds."""
    solutions, withheld = [], dict[str, None]()
    for path in sorted(folders.source(lab).glob("*.ipynb")):
        book = notebooks.read(path)
        answers = notebooks.solutions(book).items()
        solutions += [own_code(text, stubs[name]) for name, text in answers if name in stubs]
        withheld |= dict.fromkeys(book.metadata.get("labkit", {}).get("withheld", []))
    if solutions:
        yield REFERENCE, "\n\n\n".join(solutions)
    package = Path(labkit.__file__).parent
    files = [package.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in withheld]
    texts = [own_code(f.read_text(encoding="utf-8"), stubs[None]) for f in files if f.is_file()]
    if texts:
        yield OWN, "\n\n\n".join(texts)


def _submissions(
    folders: Folders,
    lab: str,
    given: Mapping[str, NotebookNode],
    stubs: Mapping[str | None, str],
) -> tuple[Found, dict[str, str]]:
    """Who has handed in, and what each has written."""
    students = folders.handed_in(lab)
    if not students:
        raise InputError(f"nothing of {lab} was handed in: there is no submission to compare")
    found, written = Found(lab), dict[str, str]()
    for student, folder in students.items():
        try:
            cells = [
                (grade_id(cell) or "a cell of their own", cell.source, stubs[grade_id(cell)])
                for name in given
                for cell in _cells(folder, name, given)
            ]
            cells += _modules(folder, folders.release(lab))
        except InputError as error:
            found.skipped[student] = str(error)
            continue
        except Exception as error:  # nobody's file stops the comparison of the others
            found.skipped[student] = f"It could not be read ({type(error).__name__})."
            continue
        if sum(len(code) for _, code, _ in cells) > MAX_CODE:
            found.skipped[student] = f"Its code has more than {MAX_CODE:,} characters."
            continue
        text = "\n\n\n".join(
            f"# {name}\n{own}" for name, code, stub in cells if (own := own_code(code, stub))
        )
        if text:
            written[student] = text
            found.compared.append(student)
        else:
            found.blank.append(student)
    return found, written


def _cells(folder: Path, name: str, given: Mapping[str, NotebookNode]) -> Iterator[NotebookNode]:
    """The code cells of a submission in which the student answers, or that the student added."""
    if folder.is_symlink() or folder.parent.is_symlink():
        raise InputError("The submission is a link to another folder.")
    path = folder / f"{name}.ipynb"
    others = sorted(folder.glob("*.ipynb"))
    if len(given) == 1 and not path.exists() and len(others) == 1:
        path = others[0]  # under another name, as in triage
    triage = examine(path, given[name])
    if triage.notebook is None:
        raise InputError(str(triage.reason))
    for cell in triage.notebook.cells:
        if cell.cell_type == "code" and (utils.is_solution(cell) or grade_id(cell) is None):
            yield cell


def _modules(folder: Path, release: Path) -> Iterator[tuple[str, str, str]]:
    """Python files beside the notebooks, which these can import: name, text, and what was given.

    Raises:
        InputError: one cannot be read.
    """
    for path in tree(folder):
        if path.suffix == ".py" and not path.is_dir():
            name = path.relative_to(folder)
            try:
                text = read_regular(path, MAX_CODE).decode(errors="replace")
            except Refused as refusal:
                raise InputError(f"The file {quoted(str(name))} {refusal}.") from None
            given = release / name
            known = given.read_text(encoding="utf-8", errors="replace") if given.is_file() else ""
            yield quoted(str(name)), text, known


def own_code(code: str, given: str) -> str:
    """What of a cell is compared: its own lines, and code in its strings, which `exec` can run."""
    code = _ESCAPE.sub("", code.replace("\r\n", "\n").replace("\r", "\n"))
    parts = [_closed(own_lines(code, given)), *(own_code(s, given) for s in _code_in_strings(code))]
    return "\n".join(filter(None, parts))


def _closed(code: str) -> str:
    """A cell with an end to the string in which it ends: what comes after is no string."""
    for end in ("", "'''", '"""', "}'''", '}"""'):
        closed = f"{code}\n{end}" if end else code
        # A name alone would be one inside an f-string as well.
        if (Name.Function, _MARK) in PythonLexer().get_tokens(f"{closed}\ndef {_MARK}():\n"):
            return closed
    return re.sub(r"['\"]", " ", code)


def _code_in_strings(code: str) -> Iterator[str]:
    """Strings that are programs; a sentence, a path or a table is none."""
    for node in _nodes(code):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = textwrap.dedent(node.value)
        if len(text) >= PASSAGE:
            if any(isinstance(part, _STATEMENTS) for part in _nodes(text)):
                yield text
            else:
                yield from _code_in_strings(text)


def _nodes(code: str) -> list[ast.AST]:
    """The syntax tree's nodes; none where it is no Python."""
    try:
        return list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def own_lines(code: str, given: str) -> str:
    """What of a cell is neither a docstring nor a line that was given; all have those in common."""
    known = {line.strip() for line in given.splitlines()}
    described = _described(code)
    return "\n".join(
        line.rstrip("; \t")
        for number, line in enumerate(code.split("\n"), 1)
        # One of two quotation marks without the other would make a string of all that follows.
        if number not in described and (line.strip() not in known or '"""' in line or "'''" in line)
    )


def _described(code: str) -> set[int]:
    """The numbers of the lines of docstrings; none where it is no Python."""
    found: set[int] = set()
    for node in _nodes(code):
        if isinstance(node, _DESCRIBED) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            found.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return found
