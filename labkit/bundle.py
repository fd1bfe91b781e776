"""What students get: the labs without answers, the walkthroughs, labkit itself and a guide."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from importlib import resources, util
from pathlib import Path

import nbformat
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

from labkit.errors import InputError

GUIDE = "START-HERE.md"
FOR_STUDENTS = ("notebooks", "release")
COURSE = (*FOR_STUDENTS, "labkit", "source", "constraints.txt", "environment.yml", "pyproject.toml")
# What marks an answer in a source notebook, however it is spelt; prose avoids these words too.
AUTHORING = re.compile(
    rb"begin[\s_-]*solution|end[\s_-]*solution|hidden[\s_-]*tests?\b|mark[\s_-]*scheme", re.I
)
OLDEST = (1980, 1, 1, 0, 0, 0)  # a zip file knows no earlier date; one date makes it reproducible


def make_bundle(course: Path, out: Path) -> Path:
    """Pack what students get, as a folder and the same as a zip file.

    Args:
        course: the root of the course's repository.
        out: where both go; an earlier bundle there is replaced, all at once.

    Returns:
        The zip file, `out/labkit-VERSION.zip`.

    Raises:
        InputError: `course` is not the course's repository, a release is missing, out of step with
            its source or gives something away, `out` holds something else, or the wheel cannot be
            built. Nothing is changed then.
    """
    out = out.absolute()
    _require_course(course)
    _require_replaceable(out)
    for lab in sorted(path.name for path in (course / "source").iterdir() if path.is_dir()):
        _require_release_in_step(course, lab)
    for folder in FOR_STUDENTS:
        _require_no_answers(course / folder)

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out.parent) as scratch:
        new = Path(scratch) / "new"
        name = _fill(course, new)
        _zip(new / name, new / f"{name}.zip")
        if out.exists():
            out.rename(Path(scratch) / "old")
        new.rename(out)
    return out / f"{name}.zip"


def _require_course(course: Path) -> None:
    missing = [name for name in COURSE if not (course / name).exists()]
    if missing:
        raise InputError(
            f"{course} has no {', '.join(missing)}: run labkit bundle in the root of the "
            "course's repository"
        )
    project = tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))
    if project.get("project", {}).get("name") != "labkit":
        raise InputError(f"{course / 'pyproject.toml'} is not labkit's")


def _require_replaceable(out: Path) -> None:
    """Only what an earlier call made is ever replaced."""
    if out.is_dir() and (not any(out.iterdir()) or any(out.glob(f"labkit-*/{GUIDE}"))):
        return
    if out.exists():
        raise InputError(f"{out} exists and is no earlier bundle: name another folder with --out")


def _require_release_in_step(course: Path, lab: str) -> None:
    """A release must hold what generating it from its source now would give.

    Contents are compared, not dates: a fresh clone gives all files the date of the clone.
    """
    remedy = f"run nbgrader generate_assignment {lab} --force"
    for source in sorted((course / "source" / lab).glob("*.ipynb")):
        release = course / "release" / lab / source.name
        if not release.is_file():
            raise InputError(f"{release} is missing: {remedy}")
        if _cells(release, clear=False) != _cells(source, clear=True):
            raise InputError(f"{release} is out of step with {source}: {remedy}")


def _cells(path: Path, clear: bool) -> list[str]:
    """The texts of a notebook's cells, without what authors keep for themselves if `clear`."""
    notebook = nbformat.read(path, as_version=4)
    if clear:
        for kind in (ClearSolutions, ClearHiddenTests, ClearMarkScheme):
            clearing = kind(enforce_metadata=False)
            notebook, _ = clearing.preprocess(notebook, {"language": "python"})
    return [cell.source for cell in notebook.cells]


def _require_no_answers(folder: Path) -> None:
    for path in _files(folder):
        if path.suffix == ".ipynb" and (found := AUTHORING.search(path.read_bytes())):
            raise InputError(
                f"{path} holds {found.group().decode()!r}, which marks what students must not "
                "see: mend its source and generate it again"
            )


def _files(folder: Path) -> list[Path]:
    """All files of a folder in a fixed order, less caches and what editors leave."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(
            part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts
        )
    ]


def _fill(course: Path, new: Path) -> str:
    """Make the folder that students get inside `new`; its name says the version."""
    wheel = _build_wheel(course, new)
    name = "-".join(wheel.name.split("-")[:2])
    root = new / name
    root.mkdir()
    wheel = wheel.rename(root / wheel.name)
    for folder in FOR_STUDENTS:
        for path in _files(course / folder):
            target = root / path.relative_to(course)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copyfile(course / "constraints.txt", root / "constraints.txt")
    environment = (course / "environment.yml").read_text(encoding="utf-8")
    _write(root / "environment.yml", environment.replace("- -e .\n", f"- ./{wheel.name}\n"))
    _write(root / GUIDE, student_guide(course, wheel.name))
    return name


def student_guide(course: Path, wheel: str) -> str:
    """The page that students read first, with the names of a course's files in it."""
    guide = resources.files("labkit").joinpath("bundle_guide.md").read_text(encoding="utf-8")
    first = next((path.name for path in sorted((course / "notebooks").glob("*.ipynb"))), "")
    return guide.replace("{WHEEL}", wheel).replace("{FIRST}", first)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _build_wheel(course: Path, folder: Path) -> Path:
    """Build labkit's wheel with the hatchling of this environment, so that no network is needed."""
    if util.find_spec("hatchling") is None:
        raise InputError(
            "the wheel of labkit is built by hatchling, which is missing: "
            f"{sys.executable} -m pip install hatchling"
        )
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"the wheel of labkit cannot be built: {done.stderr.strip()}")
    return next(folder.glob("*.whl"))


def _zip(folder: Path, target: Path) -> None:
    """Zip a folder under its own name; the same contents always give the same bytes."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in _files(folder):
            name = path.relative_to(folder.parent).as_posix()
            entry = zipfile.ZipInfo(name, date_time=OLDEST)
            entry.create_system = 3  # Unix on every system, for the same reason
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), compress_type=zipfile.ZIP_DEFLATED)
