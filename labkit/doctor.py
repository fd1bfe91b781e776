"""What may stand in labkit's way on this machine, and what to do about it.

The doctor must work where labkit does not: torch, OpenCV and nbgrader are imported in processes of
their own, so that one that is broken, missing or hanging is a finding and not the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from labkit.errors import InputError

PIP = f"{sys.executable} -m pip"
PATIENCE = 120  # seconds: the first import of torch from a cold, slow disk takes that order
ROOM = 2.0  # GB that weights and data sets need at most


@dataclass(frozen=True)
class Finding:
    """What one check saw.

    Attributes:
        name: what was looked at.
        status: "problem" keeps the course from working, "advice" does not.
        message: what was seen.
        remedy: what to do; empty where nothing is.
    """

    name: str
    status: Literal["ok", "advice", "problem"]
    message: str
    remedy: str = ""


def examine(course: Path | None = None) -> list[Finding]:
    """Run every check, side by side because the imports take seconds; findings in fixed order.

    Args:
        course: a course folder to look at as well.
    """
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda check: check(), CHECKS))
    return found if course is None else [*found, check_course(course)]


def check_python() -> Finding:
    """Python's version is one that labkit is made for."""
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        wanted = metadata.metadata("labkit")["Requires-Python"]
    except metadata.PackageNotFoundError:
        return _not_installed("Python")
    if SpecifierSet(wanted).contains(version):
        return Finding("Python", "ok", f"{version} ({sys.executable})")
    return Finding(
        "Python",
        "problem",
        f"this is {version}, labkit needs {wanted}",
        "make a new environment with a version in that range and install labkit there",
    )


def check_packages() -> Finding:
    """Every package that labkit needs is installed in a version that it accepts."""
    try:
        requirements = [Requirement(line) for line in metadata.requires("labkit") or []]
    except metadata.PackageNotFoundError:
        return _not_installed("packages")
    needed = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    faulty = [r for r in needed if _fault(r)]
    if not faulty:
        return Finding("packages", "ok", f"all {len(needed)} in versions that fit")
    return Finding(
        "packages",
        "problem",
        "; ".join(map(_fault, faulty)),
        f"{PIP} install -c constraints.txt {' '.join(r.name for r in faulty)}",
    )


def check_torch() -> Finding:
    """Torch and torchvision load, and fit together: torchvision's compiled part finds torch's."""
    error, _ = _import(
        "import torch, torchvision\n"
        "torchvision.ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)"
    )
    versions = f"torch {_version('torch')} and torchvision {_version('torchvision')}"
    if not error:
        return Finding("torch", "ok", f"{versions} fit together")
    if "torchvision::nms" in error:
        message = f"{versions} do not fit together"
    else:
        message = f"{versions} cannot be imported: {error}"
    remedy = (
        f"{PIP} uninstall -y torch torchvision, then install both at once: "
        f"{PIP} install -c constraints.txt torch torchvision"
    )
    return Finding("torch", "problem", message, _windows_remedy(error) or remedy)


def check_opencv() -> Finding:
    """OpenCV loads, with the system libraries that its window functions are linked to."""
    error, version = _import("import cv2; print(cv2.__version__)")
    if not error:
        return Finding("OpenCV", "ok", version)
    if "libGL" in error or "libgthread" in error or "libglib" in error:
        remedy = (
            "sudo apt-get install libgl1 libglib2.0-0 (Fedora: sudo dnf install mesa-libGL glib2)"
        )
    else:
        remedy = f"{PIP} install --force-reinstall --no-deps -c constraints.txt opencv-python"
    message = f"cannot be imported: {error}"
    return Finding("OpenCV", "problem", message, _windows_remedy(error) or remedy)


def check_kernel() -> Finding:
    """Notebooks run in this environment: the kernel `python3` starts this interpreter.

    A kernel left behind by another installation is the usual reason for "No module named labkit"
    in a notebook while the command line finds it.
    """
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError as error:
        return Finding("kernel", "problem", str(error), f"{PIP} install jupyterlab")
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding(
            "kernel", "problem", "there is no kernel python3", f"{PIP} install ipykernel"
        )
    if _starts_this_environment(spec.argv[0]):
        return Finding("kernel", "ok", "python3 runs this Python")
    return Finding(
        "kernel",
        "problem",
        f"python3 runs {spec.argv[0]}, not {sys.executable}: notebooks would not find labkit",
        f"remove the folder {spec.resource_dir}; ipykernel's own kernel then takes its place",
    )


def check_nbgrader() -> Finding:
    """The nbgrader command can start."""
    error, version = _import(
        "import nbgrader, nbgrader.apps.nbgraderapp; print(nbgrader.__version__)"
    )
    if not error:
        return Finding("nbgrader", "ok", version)
    return Finding(
        "nbgrader",
        "problem",
        f"cannot be imported: {error}",
        f"{PIP} install --force-reinstall -c constraints.txt nbgrader",
    )


def check_sandbox() -> Finding:
    """Submissions can run in the sandbox; only those who grade need it."""
    try:
        from labkit.grading.sandbox import bubblewrap, cgroups
    except ImportError as error:
        return Finding("sandbox", "advice", f"cannot be looked at: {error}", "mend nbgrader first")
    if reason := bubblewrap.why_not():
        return Finding("sandbox", "advice", f"only those who grade need one, but {reason}")
    version = cgroups.available()
    if version is not None:
        held = f"held to their limits by control groups (version {version})"
        return Finding("sandbox", "ok", f"submissions can run in one, {held}")
    return Finding(
        "sandbox",
        "advice",
        "submissions can run in one, but no control groups hold them to their limits: memory is "
        "watched ten times a second, and one submission can slow another down",
        "systemd-run --user --scope labkit grade …, or grade as root; without either it works, too",
    )


def looks_like_a_course(folder: Path) -> bool:
    """Whether nbgrader is used in a folder."""
    return any((folder / name).is_file() for name in ("nbgrader_config.py", "gradebook.db"))


def check_course(course: Path) -> Finding:
    """The gradebook of a course can be used, and nobody else can read or write the course."""
    try:
        from labkit.grading import access, storage
        from labkit.grading.course import Folders, opened
    except ImportError as error:
        return Finding("course", "advice", f"cannot be looked at: {error}", "mend nbgrader first")
    try:
        with opened(course) as app:
            folders = Folders(app.coursedir, Path())
            storage.check(folders, write=True)
            allowed = access.CourseAccess(parent=app).allow_shared
            found = access.examine(folders)
    except InputError as error:
        return Finding("course", "problem", str(error))
    seen = "; ".join([*found.refused, *found.said])
    if not seen:
        return Finding("course", "ok", f"{folders.root} is closed to others on this machine")
    grave = found.refused and not allowed
    return Finding("course", "problem" if grave else "advice", seen, found.mend)


def check_gpu() -> Finding:
    """The GPU that torch would use; none is needed."""
    error, name = _import(
        "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
    )
    if error:
        return Finding("GPU", "advice", "torch cannot be asked", "mend torch first")
    return Finding("GPU", "ok", name or "none: the course is made for CPUs")


def check_torch_cache() -> Finding:
    """Torch can keep the weights that it downloads."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    folder = Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser()
    return _check_folder("weights", folder, "set TORCH_HOME to a folder with room")


def check_labkit_cache() -> Finding:
    """Labkit can keep the data sets that it downloads."""
    try:
        import pooch
    except ImportError as error:
        return Finding("data", "problem", str(error), f"{PIP} install -c constraints.txt pooch")
    remedy = "make room, or keep data sets elsewhere and name the folder where one is asked for"
    return _check_folder("data", Path(pooch.os_cache("labkit")), remedy)


def _not_installed(name: str) -> Finding:
    """Labkit was found by its path alone, so nobody installed what it needs."""
    return Finding(
        name,
        "problem",
        f"labkit is not installed for {sys.executable}",
        f"{PIP} install, then the course's wheel, or -e . in the course's repository",
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(missing)"


def _fault(requirement: Requirement) -> str:
    """What is wrong with the installed version of a package, "" if nothing."""
    version = _version(requirement.name)
    if version == "(missing)":
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} is {version}, labkit needs {requirement.specifier}"


def _run(*command: str) -> tuple[str, str]:
    """Run a program: the last line of its complaint ("" if it succeeds) and what it printed."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE} s", ""
    if done.returncode == 0:
        return "", done.stdout.strip()
    complaint = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return complaint[-1], done.stdout.strip()


def _import(code: str) -> tuple[str, str]:
    """Run Python code in a process of its own, as `_run` does."""
    return _run(sys.executable, "-c", code)


def _windows_remedy(error: str) -> str:
    """The remedy for a compiled part that does not load on Windows, "" for other errors."""
    if "DLL load failed" in error or "WinError 126" in error:
        return "install Microsoft's Visual C++ Redistributable (x64), then try again"
    return ""


def _starts_this_environment(program: str) -> bool:
    """Whether a kernel's program lies beside this interpreter.

    Folders are compared, not files: in a virtual environment the interpreter is a link to one
    that other environments share. Jupyter itself replaces a bare `python` by the running one.
    """
    if program in {"python", "python3", "python{}.{}".format(*sys.version_info)}:
        return True
    found = shutil.which(program)
    if found is None:
        return False
    return Path(found).parent.resolve() == Path(sys.executable).parent.resolve()


def _check_folder(name: str, folder: Path, remedy: str) -> Finding:
    """A cache folder, or the nearest one above it that exists, takes files and has room."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free / 1e9
    except OSError as error:
        return Finding(name, "problem", f"{folder} cannot be written: {error.strerror}", remedy)
    if free < ROOM:
        return Finding(name, "advice", f"{folder} has {free:.1f} GB left, {ROOM:.0f} help", remedy)
    return Finding(name, "ok", f"{folder}, {free:.0f} GB free")


# In the order of the report.
CHECKS: tuple[Callable[[], Finding], ...] = (
    check_python,
    check_packages,
    check_torch,
    check_opencv,
    check_kernel,
    check_nbgrader,
    check_sandbox,
    check_gpu,
    check_torch_cache,
    check_labkit_cache,
)
