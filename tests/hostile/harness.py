"""Loads hostile submissions, and grades them: as a class with our grading, or alone without it."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import inspect
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType

import nbformat
from grading.judge import course as lab
from grading.judge.course import Course, make_course, source_notebook
from nbgrader.api import Gradebook

from labkit.grading import commands
from labkit.grading.notebooks import grade_id
from labkit.grading.sandbox import bubblewrap, cgroups

HERE = Path(__file__).parent
ANSWERS = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(x):\n    return x.mean()",
}
FULL = {"test-double": 1.0, "test-mean": 2.0}
TOKEN = "a-token-of-the-instructor"  # in the environment of whoever grades
NEIGHBOURS = ("aa honest", "kk-honest", "rr-honest", "zz-honest")


@dataclass(frozen=True)
class Submission:
    """One file of `submissions/`, `outsider/` or `honest/`; see README.md for what may be in it."""

    name: str
    module: ModuleType = field(repr=False)

    @property
    def student(self) -> str:
        return self.get("STUDENT", self.name.replace("_", "-"))

    def get(self, name: str, default=None):
        return getattr(self.module, name, default)

    def hand_in(self, course: Course) -> None:
        """Put it where nbgrader collects it, in place of what was there."""
        folder = course.folder / "submitted" / self.student / "lab"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        notebook = nbformat.read(course.folder / "release" / "lab" / "lab.ipynb", as_version=4)
        cells = {grade_id(cell): cell for cell in notebook.cells}
        notebook = self.module.hand_in(folder, cells, notebook)
        if notebook is not None:
            # Not nbformat's own writer, which would mend what was broken on purpose.
            (folder / "lab.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    def harmed(self, course: Course) -> bool:
        return self.get("harmed", lambda _: False)(course.folder)


def load(*folders: str) -> dict[str, Submission]:
    """The files of some folders, by name."""
    found = {}
    for path in sorted(path for folder in folders for path in (HERE / folder).glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"hostile_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert path.stem not in found, f"two submissions are called {path.stem}"
        found[path.stem] = Submission(path.stem, module)
    return found


def honest(notebook, cells) -> None:
    """The right answers."""
    for name, text in ANSWERS.items():
        cells[name].source = text


@dataclass
class Graded:
    """What came out for a class or for one submission."""

    course: Course
    entries: dict[str, dict] = field(default_factory=dict)  # of the report, by student
    left: list[str] = field(default_factory=list)  # processes that are still there
    ended: bool = True  # the command came to its end by itself
    groups: bool = True  # control groups held the submissions
    harm: bool = False

    def marks(self, student: str) -> dict[str, float]:
        """Automatic scores of the tests; nothing in the gradebook counts 0, as an export has it."""
        scores = self.course.scores(student) or {}
        return {name: scores.get(name, 0.0) for name in FULL}


def _lab():
    """The made-up lab; a module that none of its tasks is about is withheld."""
    notebook = source_notebook()
    notebook.metadata["labkit"] = {"withheld": ["labkit.folds"]}
    return notebook


def grade_class(
    folder: Path,
    submissions: Iterable[Submission],
    jobs: int = 1,
    *options: str,
    user: bool = False,
) -> Graded:
    """One run over submissions with honest neighbours among them.

    With one job by `nbgrader autograde`, with several by `labkit grade`.

    Args:
        folder: of the course that is made.
        submissions: what is handed in beside the neighbours' work.
        jobs: at a time.
        options: lines of the course's configuration.
        user: if this is root, grade as a user without rights, and so without control groups.
    """
    submissions = list(submissions)
    course = make_course(folder, _lab())
    with (folder / "nbgrader_config.py").open("a") as config:
        # Smaller than an instructor would set them, so that attacks need not be large either.
        config.write("c.Execute.startup_timeout = 15\nc.Execute.total_timeout = 35\n")
        config.write("c.Execute.memory_limit = 1_500_000_000\n")
        config.writelines(f"{line}\n" for line in options)
    course.submit(NEIGHBOURS[0], honest)
    earlier = [one for one in submissions if one.get("RESUBMITTED")]
    for one in earlier:
        course.submit(one.student, honest)
    course.grade()
    for one in earlier:
        assert Graded(course).marks(one.student) == FULL, one.name
    for neighbour in NEIGHBOURS[1:]:
        course.submit(neighbour, honest)
    for one in submissions:
        one.hand_in(course)
    before = _children()
    _adopt_orphans(True)
    try:
        if jobs == 1:
            course.grade()
        else:
            command = [sys.executable, "-m", "labkit", "grade", "lab", "--jobs", str(jobs)]
            if user and os.geteuid() == 0:
                command = [*_as_user(folder), *command]
            with (folder / "said.txt").open("w") as said:
                subprocess.run(command, cwd=folder, stdout=said, stderr=said, check=False)
        left = _left(before)
    finally:
        _adopt_orphans(False)
    (folder / "left.txt").write_text("\n".join(left))
    if any(one.get("FEEDBACK") for one in submissions):
        commands.nbgrader(folder, "generate_feedback", "lab", log=folder / "log.txt")
    lines = (folder / "grading-report.jsonl").read_text().splitlines()
    entries = {entry["student"]: entry for entry in map(json.loads, lines)}
    groups = cgroups.available() is not None and not user
    return Graded(course, entries, left, groups=groups)


def _as_user(course: Path) -> list[str]:
    """What to put in front of a command, so that it runs without rights and owns the course."""
    for path in (course, *course.rglob("*")):
        os.lchown(path, bubblewrap.NOBODY, bubblewrap.NOBODY)
    folders = map(str, (sys.prefix, sys.base_prefix, HERE.parents[1], "/etc"))
    shown = [word for folder in folders for word in ("--ro-bind", folder, folder)]
    words = bubblewrap._as_nobody([*shown, "--ro-bind", str(course), str(course)])
    place = words.index("--")
    own = ["--bind", str(course), str(course), "--setenv", "HOME", str(course)]
    # Not bubblewrap's `--chdir`: as root without rights it cannot enter a folder closed to others.
    return [*words[:place], *own, *words[place:], "env", f"--chdir={course}"]


def make_bare_course(folder: Path) -> Course:
    """A course without labkit's grading, with one submission graded, ready to be copied."""
    course = make_course(folder, _lab(), stock=True)
    with (folder / "nbgrader_config.py").open("a") as config:
        config.write("c.Execute.timeout = 10\n")  # torch is imported anew in each kernel
    course.submit(NEIGHBOURS[0], honest)
    course.grade()
    assert Graded(course).marks(NEIGHBOURS[0]) == FULL, (folder / "log.txt").read_text()
    return course


def grade_bare(template: Course, folder: Path, one: Submission) -> Graded:
    """Stock nbgrader on one submission and an honest one after it, in processes of their own."""
    course = Course(folder)
    shutil.copytree(template.folder, folder, symlinks=True)
    if one.get("RESUBMITTED"):
        _score_as_honest(course, one.student)
    one.hand_in(course)
    course.submit(NEIGHBOURS[-1], honest)
    return Graded(course, ended=_run_bare(course, one))


def _score_as_honest(course: Course, student: str) -> None:
    """What an earlier grading of honest work leaves in the gradebook."""
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission("lab", student)
        for grade in gradebook.find_submission_notebook("lab", "lab", student).grades:
            grade.auto_score = FULL.get(grade.name)
        gradebook.db.commit()
    assert Graded(course).marks(student) == FULL


def _run_bare(course: Course, one: Submission) -> bool:
    """Run the command where nothing outlives it, with limits that spare this machine."""
    python = f"{sys.executable} -m nbgrader"
    # What is about others needs others to be graded; for the rest that would only take time.
    whom = "" if one.get("STOCK") in ("stops", "harm") else shlex.quote(f"--student={one.student}")
    script = f"timeout -k 2 {one.get('SECONDS', 40)} {python} autograde lab {whom}; code=$?; "
    if one.get("FEEDBACK"):
        script += f"{python} generate_feedback lab; "
    script += "sleep 0.3; ps -eo args > left.txt; exit $code"
    command = [
        *("bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc"),
        *("--die-with-parent", "--chdir", str(course.folder), "--"),
        *("prlimit", f"--fsize={1 << 30}", f"--as={8 << 30}", "--core=0", "--"),
        *("sh", "-c", script),
    ]
    environment = {**commands.environment(), "OUTPUT_MB": "60"}
    with (course.folder / "log.txt").open("a") as log:
        done = subprocess.run(
            command,
            stdout=log,
            stderr=log,
            env=environment,
            check=False,
            start_new_session=True,
            timeout=150,
        )
    return done.returncode in (0, 1)


def why_no_bare_runs() -> str | None:
    """Why stock nbgrader cannot be run here without danger."""
    if not sys.platform.startswith("linux"):
        return "attacks are tried on stock nbgrader on Linux only"
    if shutil.which("bwrap") is None:
        return "attacks are tried on stock nbgrader inside bubblewrap, which is missing"
    probe = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        return "bubblewrap cannot make a process namespace here"
    return None


class Proven:
    """Which submissions stock nbgrader was seen to treat as they say, by digests in a file.

    What it does with one hangs on the submission, the lab, how it is run here, nbgrader and Python.
    It is run again when one of these has changed.
    """

    _FILE = HERE / "proven.json"

    def __init__(self) -> None:
        known = json.loads(self._FILE.read_text("utf-8")) if self._FILE.is_file() else {}
        self._known: dict[str, str] = known

    def __contains__(self, one: Submission) -> bool:
        return self._known.get(one.name) == self._digest(one)

    def add(self, one: Submission) -> None:
        """Note that it was seen."""
        self._known[one.name] = self._digest(one)
        lines = json.dumps(self._known, indent=0, sort_keys=True)
        self._FILE.write_text(f"{lines}\n", encoding="utf-8")

    @staticmethod
    def _digest(one: Submission) -> str:
        python = ".".join(map(str, sys.version_info[:2]))
        found = hashlib.sha256(f"Python {python}, nbgrader {metadata.version('nbgrader')}".encode())
        for path in (Path(str(one.module.__file__)), Path(lab.__file__)):
            found.update(path.read_bytes())
        for function in (_lab, make_bare_course, grade_bare, _score_as_honest, _run_bare):
            found.update(inspect.getsource(function).encode())
        return found.hexdigest()[:16]


def remove(folder: Path) -> None:
    """Remove a folder, however deep; Python's own rmtree, and pytest's, recurse too deeply."""
    subprocess.run(["rm", "-rf", folder], check=False)


def _children() -> set[int]:
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        return set()
    return {int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()}


def _left(before: set[int]) -> list[str]:
    """The commands of children that are new and still run."""
    found = []
    for pid in _children() - before:
        if os.waitpid(pid, os.WNOHANG) == (0, 0):
            found.append(Path(f"/proc/{pid}/cmdline").read_text(errors="replace"))
    return found


def _adopt_orphans(yes: bool) -> None:
    """Processes whose parents end become children of this one, so that none is overlooked."""
    if sys.platform.startswith("linux"):
        set_child_subreaper = 36
        prctl: Callable[..., int] = ctypes.CDLL(None).prctl
        prctl(set_child_subreaper, int(yes), 0, 0, 0)
