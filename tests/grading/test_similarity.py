"""Similar code: copies are named whatever was done to them, and work of one's own is not.

The submissions are whole labs, solved by several hands (`own_solutions`), and disguised copies.
"""

import ast
import re
import shutil
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest
from grading.own_solutions import BODIES
from nbformat.v4 import new_code_cell
from pygments.lexers import PythonLexer
from pygments.token import Name
from typer.testing import CliRunner

from labkit.cli import app
from labkit.errors import InputError
from labkit.grading import notebooks, similarity
from labkit.grading.similarity import OWN, REFERENCE, Found, Pair, find
from labkit.grading.similarity_page import page

ROOT = Path(__file__).parents[2]
LAB = "lab1_cam"
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"
SCRIPT = "<script>document.title = 'x'</script><img src=x onerror=alert(1)>"


def release(lab=LAB):
    return notebooks.read(ROOT / "release" / lab / f"{lab}.ipynb")


def solved(who, lab=LAB):
    """The answers of one of the hands, by grade_id."""
    given = notebooks.solutions(release(lab))
    return {
        name: given[name].replace(STUB, body.rstrip()) for name, body in BODIES[lab][who].items()
    }


def reference(lab=LAB):
    book = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    code = notebooks.solutions(book)
    return {name: text for name, text in code.items() if name in BODIES[lab]["ada"]}


def renamed(text):
    """The variables have other names."""
    tree = ast.parse(text)
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    new = {name: f"thing_{number}" for number, name in enumerate(sorted(found))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
    return ast.unparse(tree)  # comments are gone, and the layout is another one


def labkits_own(*wanted):
    """Functions of labkit's own, as they stand there."""
    package = ROOT / "labkit"
    files = ["folds", "maps/cam", "maps/normalize", "models/cam_net", "training/classifiers"]
    for file in files:
        text = (package / f"{file}.py").read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name in wanted:
                yield ast.get_source_segment(text, node)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    for step in ("source", "release"):
        shutil.copytree(ROOT / step / LAB, folder / step / LAB)
    ada, bob = solved("ada"), solved("bob")
    third = ["training-step", "folds", "accuracy"]
    own = list(labkits_own("class_activation_map", "normalize", "enlarge", "cross_validate"))
    answers = {
        **{who: solved(who) for who in BODIES[LAB]},
        "eve": {name: renamed(text) for name, text in reversed(ada.items())},
        "fay": {**bob, **{name: renamed(ada[name]) for name in third}},
        "gil": reference(),
        "<b>hal": {**ada, "cam": ada["cam"].replace("# sum", f"# {SCRIPT} sum")},
        "ina": {},
        "own": {},
    }
    for student, texts in answers.items():
        book = notebooks.submission(release(), texts)
        if student == "own":
            book.cells.append(new_code_cell("\n\n".join(own)))
        write(folder, student, nbformat.writes(book))
    write(folder, "joe", '{"cells')
    (folder / "submitted" / "kim").mkdir()
    (folder / "submitted" / "kim" / LAB).symlink_to(folder / "submitted" / "ada" / LAB)
    return folder


def write(folder, student, text):
    path = folder / "submitted" / student / LAB / f"{LAB}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.fixture(scope="module")
def run(course):
    pytest.importorskip("copydetect")
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*")}
    done = CliRunner().invoke(app, ["similarity", LAB, "--course", str(course)])
    assert done.exit_code == 0, done.output
    assert before.items() <= {p: p.stat().st_mtime_ns for p in course.rglob("*")}.items() | {
        (course, before.get(course))
    }
    return done.output, (course / "similarity" / f"{LAB}.html").read_text()


def pairs(html):
    """Who is beside whom, with both shares in per cent."""
    row = r'class="name">(.*?)</span></td><td><span class="name">(.*?)</span></td>'
    numbers = r'<td class="number">(\d+)%</td>' * 2
    return {
        (unescape(a), unescape(b)): (int(x), int(y))
        for a, b, x, y in re.findall(row + numbers, html)
    }


def test_copies_are_named_and_nobody_else(run):
    copies = {"ada", "eve", "fay", "<b>hal"}  # of ada, in part or as a whole
    found = pairs(run[1])
    alone = [pair for pair in found if {"cem", "dia"} & set(pair)]
    assert not alone
    assert {frozenset(pair) for pair in found} == {
        *(frozenset((a, b)) for a in copies for b in copies if a != b),
        frozenset(("bob", "fay")),
        frozenset(("gil", REFERENCE)),
        frozenset(("own", OWN)),
    }
    assert found["gil", REFERENCE] == (100, 100)
    assert found["own", OWN][0] > 90


def test_renamed_and_reordered_is_as_good_as_a_copy(run):
    (both,) = (shares for pair, shares in pairs(run[1]).items() if set(pair) == {"ada", "eve"})
    assert max(both) > 90


def test_who_was_not_compared_is_named(run):
    output, html = run
    assert "joe: The file is no notebook, or only a part of one." in output
    assert "kim: The submission is a link to another folder." in output
    assert '<p><span class="name">ina</span></p>' in html
    assert "9 submissions were compared." in output


def test_the_page_holds_no_markup_of_students(run):
    html = run[1]
    assert SCRIPT not in html
    assert "&lt;script&gt;document.title" in html
    assert "<b>" not in html
    assert "<script" not in html
    assert "<img" not in html
    assert "default-src 'none'" in html
    for text in ("a reason to look, not a verdict", "raise NotImplementedError"):
        assert (text in html) == (text[0] == "a")


def test_docstrings_and_given_lines_do_not_count():
    given = 'def f(x):\n    """Twice x.\n\n    More.\n    """\n    # YOUR CODE HERE\n'
    code = 'def f(x):\n    """Two times x.\n\n    More.\n    """\r\n    y = 2 * x\n    return y\n'
    assert similarity.own_lines(code, given) == "    y = 2 * x\n    return y"
    # Not Python: the end of the text that was changed stays with its beginning.
    broken = f"{code}    return return\n"
    assert similarity.own_lines(broken, given).count('"""') == 2


@pytest.mark.parametrize(
    "before",
    [
        "'''",
        'x = """',
        "x = rb'''\\",
        "x = f'''{a ",
        "x = f'''{a + f\"\"\"",
        "x = 'a",
        "x = 'a\\",
        "!: '''",
        "%env X='''",
        "x = !ls '''",
        "?print '''",
        "(",
        "from a import",
    ],
)
def test_nothing_in_a_cell_hides_the_next_one(before):
    code = "def copied(a):\n    return a + 1"
    text = "\n\n\n".join(similarity.own_code(cell, "") for cell in (before, code))
    assert (Name.Function, "copied") in PythonLexer().get_tokens(text)
    assert similarity.own_code(code, "") == code


@pytest.mark.parametrize("line", ["!: '''", "%%capture '''", "x = %who '''", "%%writefile m.py"])
def test_lines_that_are_not_pythons_hide_nothing_in_their_cell(line):
    code = "def copied(a):\n    return a + 1"
    assert similarity.own_code(f"{line}\n{code}", "").strip() == code


LONG = "def copied(first, second):\n    total = first + second\n    return total / 2"


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (f"exec({LONG!r})", True),
        (f"exec(exec({f'exec({LONG!r})'!r}))", True),
        (f"def f():\n    {LONG!r}\nexec(f.__doc__)", True),
        ("text = 'A long sentence about the mean of two numbers, and what it is good for.'", False),
        ("rows = 'first, second, third, fourth, fifth, sixth, seventh, eighth, ninth'", False),
    ],
)
def test_programs_in_strings_are_compared(cell, found):
    lines = similarity.own_code(cell, "").split("\n")
    assert ("    total = first + second" in lines) is found
    assert cell.split("\n")[0] == lines[0]


def test_python_files_beside_a_notebook_are_compared(tmp_path):
    (folder := tmp_path / "in" / "inner").mkdir(parents=True)
    (release := tmp_path / "out").mkdir()
    (release / "given.py").write_text("a = 1\n")
    (folder.parent / "given.py").write_text("a = 1\nb = 2\n")
    (folder / "mine.py").write_text(LONG)
    (folder / "data.csv").write_text("1,2")
    found = list(similarity._modules(folder.parent, release))
    assert found == [
        ("'given.py'", "a = 1\nb = 2\n", "a = 1\n"),
        ("'inner/mine.py'", LONG, ""),
    ]
    (folder / "link.py").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match=r"The file 'inner/link\.py' is a link to another file"):
        list(similarity._modules(folder.parent, release))


def test_passages_are_the_students_text():
    """Every piece of text is there, in order; a text that was changed has no marks."""
    whole = similarity._Page([("ada", "a < b\n"), ("bob", "a < c\n")])
    row = (
        "<td><p>Test file: <i>students/0.py</i> (<b>120.00%</b>)<br> Reference file: "
        "<i>students/1.py</i> (<b>50.00%</b>)<br>\n Token overlap: 120<br></p><pre><code>"
        "<span class='highlight-red'>a &lt;</span> b\n</code></pre>"
        "<pre><code>a &lt; a &lt; c\n</code></pre></td>"
    )
    whole.feed(f"<p><b>Number:</b> 1</p>{row}")
    (pair,) = whole.pairs
    assert pair == Pair(
        "ada", "bob", 1.0, 0.5, 120, [("a <", True), (" b\n", False)], [("a < c\n", False)]
    )
    assert pair.longest() == 1
    assert "<mark>a &lt;</mark> b" in page(Found("lab", [pair], ["ada", "bob"]))


def test_what_is_missing_is_said_in_one_sentence(course, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no folder"):
        find(tmp_path / "nowhere", LAB)
    with pytest.raises(InputError, match="nbgrader generate_assignment lab9"):
        find(course, "lab9")
    shutil.copytree(course / "release", tmp_path / "release")
    with pytest.raises(InputError, match="nothing of lab1_cam was handed in"):
        find(tmp_path, LAB)
    monkeypatch.setattr(similarity, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'labkit\[similarity\]'"):
        find(course, LAB)


def test_copydetect_that_fails_is_said(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(InputError, match="copydetect failed: it said nothing"):
        similarity.compare({"ada": "a = 1"}, {REFERENCE: "b = 1"}, "")
