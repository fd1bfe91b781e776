"""What can be wrong with a lab before any student sees it.

`lint_source` reads the notebook with solutions and hidden tests, `lint_release` the one that
students get. Both run inside `nbgrader generate_assignment` (see `plugins`) and stop it, and as
`labkit lint LAB`.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import ClearSolutions
from rapidfuzz.distance import Levenshtein

import labkit
from labkit.grading.course import Folders
from labkit.grading.notebooks import DELIMITERS, grade_id, points, read

_SPELLINGS = tuple(name for pair in DELIMITERS for name in pair)
# A misspelt delimiter stands alone on a line, after comment signs or inside an HTML comment.
_COMMENT = re.compile(r"^\s*(?:#+|<!--|%+|//)\s*([A-Za-z_\- ]{8,40}?)\s*(?:-->|#*)\s*$")
_LONG_ENOUGH_TO_RECOGNISE = 20
_STUBS = {line for stub in ClearSolutions().code_stub.values() for line in stub.split("\n")}
# Methods that draw random numbers, of torch, numpy and random.
_DRAWS = {"rand", "randn", "randint", "randperm", "random", "normal", "default_rng", "manual_seed"}


@dataclass(frozen=True)
class Problem:
    """One thing to mend, and where."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def lint(course: Path, lab: str) -> list[Problem]:
    """Every problem of a lab in a course folder, its release included if there is one.

    Raises:
        InputError: the course has no such lab, or a notebook cannot be read.
    """
    problems = []
    folders = Folders.of(course)
    for path in sorted(folders.existing_source(lab).glob("*.ipynb")):
        problems += lint_source(path)
        release = folders.release(lab) / path.name
        if release.is_file():
            problems += lint_release(read(release), read(path))
    return problems


def lint_source(path: Path) -> list[Problem]:
    """Problems of a notebook with solutions, and of the files beside it.

    Raises:
        InputError: it cannot be read.
    """
    notebook = read(path)
    rules = [_grade_ids, _delimiters]
    if "labkit" in notebook.metadata:  # habits of this kit that other courses need not have
        rules += [_outputs, _points_table, _untested, _handed_on, _drawn_in_the_kernel, _broadcast]
    found = [problem for rule in rules for problem in rule(notebook)]
    if "labkit" in notebook.metadata:
        found += [*_cell_ids(path), *_stray_files(notebook, path.parent), *_withheld(notebook)]
    return found


def lint_release(notebook: NotebookNode, source: NotebookNode) -> list[Problem]:
    """Problems of a notebook for students, made from `source`: above all, anything given away."""
    ours = "labkit" in source.metadata
    return [
        *(_outputs(notebook) if ours else _outputs_of_tasks(notebook)),
        *_leftover_delimiters(notebook),
        *_leaks(notebook, source, _ordinary if ours else _known_elsewhere),
    ]


def _where(cell: NotebookNode) -> str:
    return f"cell {grade_id(cell) or cell.get('id', '?')!r}"


def _cell_ids(path: Path) -> Iterator[Problem]:
    """nbformat gives cells without an id of their own a new one at every reading."""
    # Before format 4 they were in worksheets, and had no ids at all.
    cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
    for name, count in Counter(cell.get("id") for cell in cells).items():
        if name is None:
            yield Problem(path.name, f"{count} cells have no id: save it as nbformat 4.5")
        elif count > 1:
            yield Problem(f"cell {name!r}", f"{count} cells have this id")


def _grade_ids(notebook: NotebookNode) -> Iterator[Problem]:
    """A name that has no part in grading may be there twice: nbgrader does not look at it."""
    roles = (utils.is_grade, utils.is_solution, utils.is_locked, utils.is_task)
    named = (grade_id(c) for c in notebook.cells if any(role(c) for role in roles))
    for name, count in Counter(filter(None, named)).items():
        if count > 1:
            yield Problem(f"cell {name!r}", f"{count} cells have this grade_id")


def _outputs(notebook: NotebookNode) -> Iterator[Problem]:
    for cell in notebook.cells:
        if cell.get("outputs") or cell.get("execution_count"):
            yield Problem(_where(cell), "has outputs: clear them, they can give answers away")


def _outputs_of_tasks(notebook: NotebookNode) -> Iterator[Problem]:
    """Courses may release results of code that they give, so that students see what is wanted."""
    for cell in notebook.cells:
        if cell.get("outputs") and (utils.is_solution(cell) or utils.is_grade(cell)):
            yield Problem(_where(cell), "has outputs: clear them, they can give answers away")


def _delimiters(notebook: NotebookNode) -> Iterator[Problem]:
    for cell in notebook.cells:
        for line in cell.source.split("\n"):
            meant = _meant(line, cell.cell_type)
            if meant and meant not in line:
                yield Problem(_where(cell), f"{line.strip()!r} should be spelt '### {meant}'")
        for begin, end in DELIMITERS:
            order = re.findall(f"{begin}|{end}", cell.source)
            if order != [begin, end] * (len(order) // 2):
                yield Problem(_where(cell), f"{begin} and {end} do not pair up")
        if DELIMITERS[0][0] in cell.source and not utils.is_solution(cell):
            yield Problem(_where(cell), "holds a solution but is not marked as a solution cell")
        if DELIMITERS[1][0] in cell.source and not utils.is_grade(cell):
            yield Problem(_where(cell), "holds hidden tests but is not marked as a test cell")
        if DELIMITERS[2][0] in cell.source and not (utils.is_locked(cell) or utils.is_task(cell)):
            yield Problem(_where(cell), "holds a marking scheme but is not locked")


def _meant(line: str, kind: str = "code") -> str | None:
    """The delimiter that a line of a cell holds, or that its comment is misspelt for.

    In a text cell, `# Begin solutions with care` is a heading.
    """
    for name in _SPELLINGS:
        if name in line:  # nbgrader finds it anywhere in a line
            return name
    match = _COMMENT.match(" ".join(line.split()))  # many blanks would take it many seconds
    if match is None:
        return None
    first, _, rest = re.sub(r"[\s_\-]+", " ", match[1]).upper().strip().partition(" ")
    in_code = kind == "code"
    return next((name for name in _SPELLINGS if _resembles(first, rest, name, in_code)), None)


def _resembles(first: str, rest: str, name: str, more: bool) -> bool:
    """Whether a comment's words are those of a delimiter with a typo, or with `more` after them."""
    begin_or_end, _, what = name.partition(" ")
    if Levenshtein.distance(first, begin_or_end) > 1:
        return False
    return (more and rest.startswith(what.rstrip("S"))) or Levenshtein.distance(rest, what) <= 2


def _points_table(notebook: NotebookNode) -> Iterator[Problem]:
    """The tasks in the notebook's metadata share out the graded cells, and the points agree."""
    table = notebook.metadata["labkit"].get("tasks")
    if table is None:
        return
    of_cells = points(notebook)
    for task in table:
        missing = [name for name in task["cells"] if name not in of_cells]
        if missing:
            yield Problem(f"task {task['name']!r}", f"has no graded cells {', '.join(missing)}")
            continue
        total = sum(of_cells[name] for name in task["cells"])
        if abs(total - task["points"]) > 1e-9:
            yield Problem(
                f"task {task['name']!r}",
                f"its cells carry {total:g} points, the lab's table says {task['points']:g}",
            )
    listed = Counter(name for task in table for name in task["cells"])
    for name in of_cells:
        if listed[name] != 1:
            yield Problem(f"cell {name!r}", f"stands in {listed[name]} tasks of the lab's table")


def _untested(notebook: NotebookNode) -> Iterator[Problem]:
    """Code to write that nothing marks before the next code to write."""
    waiting = None
    for cell in notebook.cells:
        is_answer = utils.is_solution(cell) and not utils.is_grade(cell)
        if waiting is not None and is_answer:
            yield Problem(_where(waiting), "is followed by no test cell")
        if is_answer:
            waiting = cell
        elif utils.is_grade(cell):
            waiting = None
    if waiting is not None:
        yield Problem(_where(waiting), "is followed by no test cell")


def _handed_on(notebook: NotebookNode) -> Iterator[Problem]:
    """Names that a test cell binds for a later cell: a judge outside the kernel keeps them."""
    elsewhere: set[str] = set()
    by_tests: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        bound, used = _names(_tree(cell.source))
        for name in sorted(used - bound - elsewhere):
            if name in by_tests:
                yield Problem(_where(cell), f"uses {name!r}, which only {by_tests[name]} defines")
        if utils.is_grade(cell):
            by_tests |= dict.fromkeys(bound, _where(cell))
        else:
            elsewhere |= bound


def _drawn_in_the_kernel(notebook: NotebookNode) -> Iterator[Problem]:
    """Given functions that draw what they test: in the kernel, a student's code can change that."""
    given: dict[str, tuple[bool, set[str]]] = {}  # by name: does it draw, and what does it use
    for cell in notebook.cells:
        if utils.is_locked(cell) and not utils.is_grade(cell) and cell.cell_type == "code":
            for node in _tree(cell.source).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    bound, used = _names(node)
                    given[node.name] = bool(_methods_called(node) & _DRAWS), used - bound

    drawing = {name for name, (itself, _) in given.items() if itself}
    while more := {n for n, (_, uses) in given.items() if uses & drawing} - drawing:
        drawing |= more

    for cell in filter(utils.is_grade, notebook.cells):
        for name in sorted(_names(_tree(cell.source))[1] & drawing):
            yield Problem(
                _where(cell),
                f"uses {name!r}, which draws numbers in the student's kernel, where they can "
                "be known: draw them in the test",
            )


def _broadcast(notebook: NotebookNode) -> Iterator[Problem]:
    """Comparisons to which a single number is as good as a whole array."""
    for cell in filter(utils.is_grade, notebook.cells):
        for name in sorted(_methods_called(_tree(cell.source)) & {"allclose", "isclose"}):
            yield Problem(
                _where(cell), f"compares by {name}, which broadcasts: use checks.values instead"
            )


def _tree(source: str) -> ast.Module:
    """The syntax tree of a cell; an empty one of IPython magic, which the notebook's run judges."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _methods_called(tree: ast.AST) -> set[str]:
    """What is called as something.NAME(...)."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {called.attr for called in calls if isinstance(called, ast.Attribute)}


def _names(tree: ast.AST) -> tuple[set[str], set[str]]:
    """The names that code binds at any level, and those it reads."""
    bound: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return bound, used


def _stray_files(notebook: NotebookNode, folder: Path) -> Iterator[Problem]:
    """nbgrader copies every file beside the notebook to the students."""
    wanted = set(notebook.metadata.get("labkit", {}).get("files", []))
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.suffix != ".ipynb" and name not in wanted:
            yield Problem(
                name, "would be released to students: remove it, or list it under labkit.files"
            )


def _withheld(notebook: NotebookNode) -> Iterator[Problem]:
    """The sandbox covers files: what is none would stop the grading of the whole class."""
    package = Path(labkit.__file__).parent
    for module in notebook.metadata["labkit"].get("withheld", []):
        first, *parts = module.split(".")
        if first != "labkit" or not package.joinpath(*parts).with_suffix(".py").is_file():
            yield Problem(
                "the notebook's labkit.withheld",
                f"{module} is no module file of labkit; of a package, name the modules",
            )


def _leftover_delimiters(notebook: NotebookNode) -> Iterator[Problem]:
    for cell in notebook.cells:
        for line in cell.source.split("\n"):
            # In prose, "we begin solution by solution" is no delimiter.
            words = line.upper() if cell.cell_type == "code" else line.strip("#<!-> \t*").upper()
            spelt = (n in words if cell.cell_type == "code" else n == words for n in _SPELLINGS)
            if _meant(line, cell.cell_type) or any(spelt):
                yield Problem(_where(cell), f"an authoring delimiter is released: {line.strip()!r}")


def _leaks(
    notebook: NotebookNode, source: NotebookNode, ordinary: Callable[[str], bool]
) -> Iterator[Problem]:
    """Lines of solutions, hidden tests and marking schemes that reached the release."""
    hidden: set[str] = set()
    shown: set[str] = set()
    for cell in source.cells:
        for line, secret in _marked_lines(cell.source, cell.cell_type):
            (hidden if secret else shown).add(line)
    secrets = {line for line in hidden - shown if not ordinary(line)}
    for cell in notebook.cells:
        for line in cell.source.split("\n"):
            if line.strip() in secrets:
                yield Problem(_where(cell), f"a hidden line is released: {line.strip()!r}")


def _ordinary(line: str) -> bool:
    """Whether a line gives nothing away: it is short, or what nbgrader puts in for a solution."""
    return len(line) < _LONG_ENOUGH_TO_RECOGNISE or line in _STUBS


def _known_elsewhere(line: str) -> bool:
    """As `_ordinary`; a header that nbgrader puts before every notebook may import the same."""
    return _ordinary(line) or line.startswith(("import ", "from "))


def _marked_lines(text: str, kind: str) -> Iterator[tuple[str, bool]]:
    """The lines of a cell without indentation, each with whether it stands between delimiters."""
    secret = False
    for line in text.split("\n"):
        meant = _meant(line, kind)
        if meant is None:
            yield line.strip(), secret
        else:
            secret = meant.startswith("BEGIN")
