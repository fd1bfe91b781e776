"""Every lab, end to end: its release, its reference, a blank, and all its mutants.

All mutants go through nbgrader in `make test`, several in one submission. Each by itself, in forks,
is a slow test, and is looked at when a submission of several has not the marks that it should.
What has been proven for a lab as it is now is remembered in pytest's cache (`--cache-clear`).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

import nbformat
import pytest

from labkit.grading import commands, mutants, notebooks, sample_class
from labkit.grading.course import Folders
from labkit.grading.gradebook import automatic_scores
from labkit.grading.lint import lint
from labkit.grading.sample_class import Student, hand_in, write_course
from labkit.grading.sandbox import bubblewrap

ROOT = Path(__file__).parents[2]
LABS = sorted(path.parent.name for path in ROOT.glob("source/*/*.ipynb"))
# Kernels that are forked and kernels that are started: two labs that withhold different modules.
# The classes of all labs are graded by `labkit course` (test_demonstration.py).
BOTH_WAYS = pytest.mark.parametrize("lab", ["lab1_cam", "lab5_layercam"], indirect=True)


@pytest.fixture(params=LABS, scope="module")
def lab(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def source(lab):
    return notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")


@pytest.fixture(scope="module")
def release(lab):
    return notebooks.read(ROOT / "release" / lab / f"{lab}.ipynb")


@pytest.fixture(scope="module")
def known(lab):
    return mutants.load(ROOT, lab)


@pytest.fixture(scope="module")
def generated(lab, tmp_path_factory) -> Path:
    """A course folder in which nbgrader has generated the lab."""
    course = tmp_path_factory.mktemp("course") / "labkit"
    write_course(ROOT, course, {lab: []})
    log = course / "nbgrader.log"
    assert commands.nbgrader(course, "generate_assignment", lab, log=log) == 0, log.read_text()
    return course


@pytest.fixture
def prove(request, lab) -> Callable[[Callable[[], None]], None]:
    """Calls what proves something of the lab, unless that was proven before and nothing changed."""
    key = f"labkit/proven/{request.node.originalname}/{lab}"

    def once(proof: Callable[[], None]) -> None:
        digest = everything_that_decides(lab)
        if request.config.cache.get(key, None) != digest:
            proof()
            request.config.cache.set(key, digest)

    return once


def everything_that_decides(lab: str) -> str:
    """A digest of what the marks of a lab depend on: its files, labkit, and what is installed."""
    folders = (ROOT / "labkit", ROOT / "source" / lab, ROOT / "release" / lab)
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    here = Path(__file__)
    files += [here, here.with_name("run_in_forks.py"), ROOT / "tests" / "mutants" / f"{lab}.py"]
    digest = hashlib.sha256()
    for path in [*files, ROOT / "nbgrader_config.py"]:
        if path.suffix != ".pyc":
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    installed = sorted(f"{each.name}=={each.version}" for each in metadata.distributions())
    digest.update(f"{sys.version} {installed}".encode())
    return digest.hexdigest()


def test_there_is_a_lab():
    assert LABS


def test_nothing_to_mend(lab):
    assert lint(ROOT, lab) == []


def test_the_release_is_in_step(lab, generated):
    made = (generated / "release" / lab / f"{lab}.ipynb").read_bytes()
    assert made == (ROOT / "release" / lab / f"{lab}.ipynb").read_bytes(), (
        f"release/{lab} is out of step: nbgrader generate_assignment {lab} --force"
    )


def test_lint_stops_a_release_that_would_leak(tmp_path):
    lab = LABS[0]
    shutil.copytree(ROOT / "source" / lab, tmp_path / "source" / lab)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    path = tmp_path / "source" / lab / f"{lab}.ipynb"
    path.write_text(path.read_text().replace("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS", 1))
    log = tmp_path / "log.txt"
    assert commands.nbgrader(tmp_path, "generate_assignment", lab, log=log) != 0
    assert "should be spelt '### BEGIN HIDDEN TESTS'" in log.read_text()
    assert not (tmp_path / "release" / lab).exists()


def test_a_lab_has_mutants_enough(known):
    assert len(known.mutants) >= 15
    assert sum(not mutant.visible for mutant in known.mutants.values()) >= 10


def test_every_test_cell_has_a_mutant_that_fails_it(source, known):
    killed = {cell for mutant in known.mutants.values() for cell in mutant.loses}
    assert killed == {cell.metadata.nbgrader["grade_id"] for cell in notebooks.tests(source)}


@pytest.mark.slow
def test_marks_of_every_mutant_alone(source, release, known, tmp_path, prove):
    """Without the experiments: what each scores, and whether its author saw a failure."""
    prove(lambda: check_alone(source, release, known, known.mutants | known.alternatives, tmp_path))


def check_alone(source, release, known, chosen: Iterable[str], folder: Path) -> None:
    """The reference, a blank and some mutants, each by itself, in processes that fork."""
    answers = notebooks.solutions(source)
    full = {name: p for name, p in notebooks.points(source).items() if name.startswith("test-")}
    mutants_by_name = {name: (known.mutants | known.alternatives)[name] for name in chosen}
    books = {"reference": (source, answers), "blank": (release, {})}
    books |= {name: (source, each.apply(answers)) for name, each in mutants_by_name.items()}
    found = dict(zip(books, run_in_forks(folder, books.values()), strict=True))

    assert {cell: score for cell, (score, _) in found["reference"].items()} == full
    assert [score for score, _ in found["blank"].values()] == [0.0] * len(full)
    for name, mutant in mutants_by_name.items():
        expected = {cell: points - mutant.loses.get(cell, 0.0) for cell, points in full.items()}
        assert {cell: score for cell, (score, _) in found[name].items()} == expected, name
        seen = [error for _, error in found[name].values() if error]
        assert bool(seen) is mutant.visible, f"{name}: {seen}"


def run_in_forks(folder: Path, books) -> list[dict]:
    """What `run_in_forks.py` finds for notebooks (book, answers), in a process of its own."""
    paths = []
    for i, (book, answers) in enumerate(books):
        paths.append(folder / f"{i}.ipynb")
        nbformat.write(notebooks.submission(book, answers), paths[-1])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("run_in_forks.py"))],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LABKIT_PRESET": "grade"},
    )
    assert done.returncode == 0, done.stderr
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    return [found[i] for i in range(len(paths))]


@BOTH_WAYS
@pytest.mark.slow
def test_the_sample_class_gets_its_marks_from_nbgrader(lab, source, generated, tmp_path):
    """The README's demonstration: reference, blank, half done, two mistakes and a broken file."""
    members = sample_class.students(ROOT, lab)
    assert len(members) >= 6
    by_name = {student.name: student for student in members}
    assert sum(by_name["reference"].expected.values()) == notebooks.automatic_points(source)
    assert sum(by_name["blank"].expected.values()) == 0
    grade(generated, tmp_path, lab, members)
    assert_marks(tmp_path, lab, members)
    assert_silent(notebooks.read(tmp_path / "autograded" / "reference" / lab / f"{lab}.ipynb"))
    word = notebooks.read(tmp_path / "autograded" / "broken-file" / lab / f"{lab}.ipynb")
    assert "counts 0 points" in word.cells[0].source


@BOTH_WAYS
@pytest.mark.slow
def test_kernels_that_are_not_forked_give_the_sample_class_the_same_marks(lab, generated, tmp_path):
    members = sample_class.students(ROOT, lab)
    grade(generated, tmp_path, lab, members, "--Execute.prefork=False")
    assert_marks(tmp_path, lab, members)


def test_marks_of_every_mutant_from_nbgrader(
    lab, source, release, known, generated, tmp_path, prove
):
    """All of them through the real grading path, but for the cells that train and draw."""

    def proof() -> None:
        packs = {f"{i}-pack": pack for i, pack in enumerate(packed(known))}
        members = members_of(source, release, packs)
        grade(generated, tmp_path, lab, members, "--Execute.skip_cells_with_tag=experiment")
        wrong = [each.name for each in members if scores(tmp_path, lab, each) != each.expected]
        for name in wrong:
            check_alone(source, release, known, [m.name for m in packs.get(name, [])], tmp_path)
        assert_marks(tmp_path, lab, members)
        assert_silent(notebooks.read(tmp_path / "autograded" / "reference" / lab / f"{lab}.ipynb"))

    prove(proof)


def members_of(source, release, packs: dict[str, list[mutants.Mutant]]) -> list[Student]:
    """The reference, a blank, and submissions with several mistakes each."""
    answers = notebooks.solutions(source)
    none = dict.fromkeys(notebooks.points(source), 0.0)
    full = none | {
        c.metadata.nbgrader["grade_id"]: c.metadata.nbgrader["points"]
        for c in notebooks.tests(source)
    }
    reference = notebooks.submission(release, answers)
    members = [
        Student("reference", nbformat.writes(reference), full),
        Student("blank", nbformat.writes(release), none),
    ]
    for name, together in packs.items():
        changed, expected = answers, dict(full)
        for mutant in together:
            changed = mutant.apply(changed)
            expected |= {cell: full[cell] - lost for cell, lost in mutant.loses.items()}
        book = notebooks.submission(release, changed)
        members.append(Student(name, nbformat.writes(book), expected))
    return members


def packed(known: mutants.Mutants) -> list[list[mutants.Mutant]]:
    """Every mutant and alternative in as few submissions as can be.

    Tasks are independent, so mistakes in several cells cost what each costs alone, as long as no
    two are in one cell or take marks from one test.
    """
    packs: list[list[mutants.Mutant]] = []
    for mutant in (known.mutants | known.alternatives).values():
        for pack in packs:
            if all(
                mutant.cell != other.cell and not mutant.loses.keys() & other.loses.keys()
                for other in pack
            ):
                pack.append(mutant)
                break
        else:
            packs.append([mutant])
    return packs


def grade(generated: Path, course: Path, lab: str, members: list[Student], *options: str) -> None:
    """Stock nbgrader's command in a course folder of its own, as an instructor types it."""
    shutil.copytree(generated, course, dirs_exist_ok=True)
    hand_in(Folders.of(course), lab, members)
    log = course / "nbgrader.log"
    commands.nbgrader(course, "autograde", lab, *bubblewrap.options(), *options, log=log)


def scores(course: Path, lab: str, student: Student) -> dict[str, float] | None:
    return automatic_scores(course, lab, student.name)


def assert_marks(course: Path, lab: str, members: list[Student]) -> None:
    found = {student.name: scores(course, lab, student) for student in members}
    assert found == {student.name: dict(student.expected) for student in members}


def assert_silent(notebook: nbformat.NotebookNode) -> None:
    """Stock nbgrader takes anything on stderr for a failure, so the reference must print none."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", f"{cell.id}: {output.evalue}"
            assert output.get("name") != "stderr", f"{cell.id}: {output.text}"
