"""What students get, and what they must not get."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit import __version__
from labkit.bundle import GUIDE, make_bundle
from labkit.errors import InputError

ROOT = Path(__file__).parent.parent
ANSWER = "total = sum(value * value for value in values)"
HIDDEN = "assert square_sum([5, 6, 7]) == 110, 'not for every list'"
STUB = "raise NotImplementedError()"


def cell(source: str, name: str = "", **metadata: bool):
    grading = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    nbgrader = {"nbgrader": {**grading, "task": False, "grade_id": name, **metadata}}
    return new_code_cell(source, metadata=nbgrader if name else {})


def notebook(answer: str, hidden: str):
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[
            new_markdown_cell("# A little lab"),
            cell("import labkit\nprint(labkit.__file__)"),
            cell(f"def square_sum(values):\n{answer}", "square", solution=True),
            cell(f"assert square_sum([2]) == 4{hidden}", "test", grade=True, locked=True),
        ],
    )


SOURCE = notebook(
    f"    ### BEGIN SOLUTION\n    {ANSWER}\n    return total\n    ### END SOLUTION",
    f"\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS",
)
RELEASE = notebook(f"    # YOUR CODE HERE\n    {STUB}", "")


def write(path: Path, nb) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


@pytest.fixture
def course(tmp_path) -> Path:
    """A little course: the real package, one lab, one walkthrough, and much that is private."""
    root = tmp_path / "course"
    shutil.copytree(ROOT / "labkit", root / "labkit", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt", "environment.yml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    write(root / "source" / "lab1" / "lab1.ipynb", SOURCE)
    write(root / "release" / "lab1" / "lab1.ipynb", RELEASE)
    write(root / "notebooks" / "01_first.ipynb", new_notebook(cells=[new_markdown_cell("Look")]))
    write(root / "notebooks" / ".ipynb_checkpoints" / "01_first.ipynb", SOURCE)
    for private in ("tests/mutants/lab1.py", "submitted/ada/lab1/lab1.ipynb", "gradebook.db"):
        (root / private).parent.mkdir(parents=True, exist_ok=True)
        (root / private).write_text("private")
    return root


def refused(course: Path, out: Path) -> str:
    """The sentence with which a bundle is refused, and nothing written."""
    before = sorted(out.parent.rglob("*"))
    with pytest.raises(InputError) as caught:
        make_bundle(course, out)
    assert sorted(out.parent.rglob("*")) == before
    return str(caught.value)


def test_bundle_holds_what_students_need_and_nothing_else(course, tmp_path):
    archive = make_bundle(course, tmp_path / "out")
    name = archive.stem
    wheel = f"{name}-py3-none-any.whl"
    expected = [
        GUIDE,
        "constraints.txt",
        "environment.yml",
        wheel,
        "notebooks/01_first.ipynb",
        "release/lab1/lab1.ipynb",
    ]
    with zipfile.ZipFile(archive) as opened:
        assert sorted(opened.namelist()) == sorted(f"{name}/{path}" for path in expected)
    folder = tmp_path / "out" / name
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == (
        sorted(expected)
    )
    environment = (folder / "environment.yml").read_text()
    assert f"- ./{wheel}\n" in environment and "-e ." not in environment
    guide = (folder / GUIDE).read_text()
    assert wheel in guide and "notebooks/01_first.ipynb" in guide
    assert not re.search(r"\{[A-Z]+\}", guide)


def test_same_course_gives_the_same_bytes(course, tmp_path):
    first = make_bundle(course, tmp_path / "one").read_bytes()
    assert make_bundle(course, tmp_path / "two").read_bytes() == first


def test_earlier_bundle_is_replaced(course, tmp_path):
    out = tmp_path / "out"
    left = make_bundle(course, out).parent / "labkit-0.0.1.zip"
    left.touch()
    make_bundle(course, out)
    assert not left.exists()
    assert not list(tmp_path.glob(".bundle-*"))


def test_other_output_is_left_alone(course, tmp_path):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").touch()
    assert "no earlier bundle" in refused(course, out)


def test_elsewhere_than_in_the_course(course, tmp_path):
    shutil.rmtree(course / "source")
    assert "has no source:" in refused(course, tmp_path / "out")


def test_release_that_is_missing(course, tmp_path):
    (course / "release" / "lab1" / "lab1.ipynb").unlink()
    assert "nbgrader generate_assignment lab1" in refused(course, tmp_path / "out")


@pytest.mark.parametrize("place", [0, 2, 3], ids=["text", "stub", "test"])
def test_release_that_is_out_of_step(course, tmp_path, place):
    path = course / "source" / "lab1" / "lab1.ipynb"
    changed = nbformat.read(path, as_version=4)
    changed.cells[place].source = "# new\n" + changed.cells[place].source
    write(path, changed)
    message = refused(course, tmp_path / "out")
    assert "out of step" in message and "nbgrader generate_assignment lab1" in message


@pytest.mark.parametrize("phrase", ["### begin solution", "### HIDDEN TEST", "=== Mark_Scheme"])
def test_notebook_that_gives_something_away(course, tmp_path, phrase):
    write(course / "notebooks" / "02.ipynb", new_notebook(cells=[new_code_cell(phrase)]))
    assert "02.ipynb" in refused(course, tmp_path / "out")


def test_wheel_that_cannot_be_built(course, tmp_path):
    (course / "README.md").unlink()
    assert "cannot be built" in refused(course, tmp_path / "out")


REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.DOTALL)


def secrets(source: Path) -> tuple[set[str], set[tuple[str, ...]]]:
    """What a lab shows to authors alone: telling lines (20 characters or more), and four in a row.

    A line, or the three of every training step, may stand in another lab for reasons of its own.
    """
    text = "\n".join(cell.source for cell in nbformat.read(source, as_version=4).cells)
    given = REGION.sub("", text)
    regions = [stripped(region) for _, region in REGION.findall(text)]
    lines = {line for region in regions for line in region if len(line) >= 20}
    runs = {run for region in regions for run in fours(region)} - set(fours(stripped(given)))
    return {line for line in lines if line not in given}, runs


def fours(lines: list[str]) -> Iterator[tuple[str, ...]]:
    """Every four lines that follow one another."""
    return zip(lines, lines[1:], lines[2:], lines[3:], strict=False)


def stripped(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def student_environment(folder: Path, wheel: Path) -> Path:
    """A virtual environment with the wheel; what the wheel needs is borrowed, not installed."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    python = Path(sysconfig.get_path("scripts", "venv", vars=paths)) / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True)
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return python


def run_as_student(bundle: Path, scratch: Path) -> None:
    """Install the bundle's wheel outside the repository and run every lab to its end with it."""
    python = student_environment(scratch / "venv", next(bundle.glob("*.whl")))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"LABKIT_PRESET": "grade", "JUPYTER_PATH": ""}
    where = [python, "-c", "import labkit; print(labkit.__file__)"]
    found = subprocess.run(where, cwd=bundle, env=environment, capture_output=True, text=True)
    assert str(scratch / "venv") in found.stdout, found.stdout + found.stderr
    for lab in sorted((bundle / "release").rglob("*.ipynb")):
        command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "--allow-errors"]
        command += ["--output-dir", scratch / "run", lab]
        done = subprocess.run(command, cwd=lab.parent, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        executed = nbformat.read(scratch / "run" / lab.name, as_version=4)
        cells = [c for c in executed.cells if c.cell_type == "code" and c.source.strip()]
        assert all(c.execution_count for c in cells), f"{lab.name} does not run to its end"
        errors = [o.ename for c in cells for o in c.outputs if o.output_type == "error"]
        assert "NotImplementedError" in errors, "no task is left to do"
        assert not {"ImportError", "ModuleNotFoundError"} & set(errors)


def assert_no_answers(course: Path, bundle: Path) -> None:
    files = [p for part in ("notebooks", "release") for p in (bundle / part).rglob("*.ipynb")]
    texts = {
        path: "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        for path in files
    }
    for source in (course / "source").glob("*/*.ipynb"):
        lines, runs = secrets(source)
        assert lines, f"{source} has no answers to look for"
        for path, text in texts.items():
            if path.stem.partition("_")[2] == source.stem.partition("_")[2]:
                assert not [line for line in lines if line in text], path
            assert not runs & set(fours(stripped(text))), path


@pytest.mark.slow
def test_little_lab_runs_for_a_student(course, tmp_path):
    archive = make_bundle(course, tmp_path / "out")
    bundle = tmp_path / "out" / archive.stem
    assert secrets(course / "source" / "lab1" / "lab1.ipynb")[0] == {ANSWER, HIDDEN}
    assert_no_answers(course, bundle)
    run_as_student(bundle, tmp_path)


@pytest.mark.slow
def test_this_course_runs_for_a_student(tmp_path):
    if not list((ROOT / "source").glob("*/*.ipynb")):
        pytest.skip("source/ has no labs yet")
    archive = make_bundle(ROOT, tmp_path / "out")
    bundle = tmp_path / "out" / archive.stem
    assert_no_answers(ROOT, bundle)
    run_as_student(bundle, tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A folder with the two archives of a release, and the wheel that the sdist makes."""
    folder = tmp_path_factory.mktemp("dist")
    hatchling(ROOT, folder)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    hatchling(folder / sdist.name.removesuffix(".tar.gz"), folder / "again", "-t", "wheel")
    return folder


def hatchling(project: Path, out: Path, *options: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", out, *options]
    subprocess.run(command, cwd=project, check=True, capture_output=True)


def wheel_of(folder: Path) -> Path:
    (wheel,) = folder.glob(f"labkit-{__version__}-py3-none-any.whl")
    return wheel


def tracked(*patterns: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a clone: what belongs to labkit is not known")
    return set(done.stdout.splitlines())


@pytest.mark.slow
def test_the_wheel_holds_labkit_and_nothing_else(published):
    with zipfile.ZipFile(wheel_of(published)) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
        metadata = opened.read(f"labkit-{__version__}.dist-info/METADATA").decode()
    assert names == tracked("labkit")
    assert {"labkit/py.typed", "labkit/bundle_guide.md"} <= names
    assert f"Version: {__version__}\n" in metadata and "License-Expression: MIT" in metadata


@pytest.mark.slow
def test_the_sdist_holds_what_the_wheel_needs_and_nothing_else(published):
    root = published / f"labkit-{__version__}"
    names = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    beside = {"README.md", "CHANGELOG.md", "LICENSE", "constraints.txt", "pyproject.toml"}
    assert names == tracked("labkit") | beside | {".gitignore", "PKG-INFO"}
    assert wheel_of(published / "again").read_bytes() == wheel_of(published).read_bytes()


@pytest.mark.slow
def test_no_hidden_test_is_published(published):
    text = "".join(p.read_text() for p in (published / f"labkit-{__version__}").rglob("*.py"))
    for source in sorted((ROOT / "source").glob("*/*.ipynb")):
        cells = "\n".join(cell.source for cell in nbformat.read(source, as_version=4).cells)
        hidden = [region for kind, region in REGION.findall(cells) if kind == "HIDDEN TESTS"]
        runs = {run for region in hidden for run in fours(stripped(region))}
        telling = [run for run in runs if sum(map(len, run)) > 60]
        assert len(telling) > 100
        assert not [run for run in telling if all(line in text for line in run)], source


@pytest.mark.slow
def test_the_wheel_runs_outside_the_repository(published, tmp_path):
    python = student_environment(tmp_path / "venv", wheel_of(published / "again"))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    for arguments, expected in (
        (("--version",), f"labkit {__version__}"),
        (("--help",), "doctor"),
        (("doctor",), "torch"),
    ):
        command = [python.with_name("labkit"), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert expected in done.stdout, done.stdout + done.stderr
        assert done.returncode == 0 or arguments == ("doctor",), done.stderr
