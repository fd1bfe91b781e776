"""Each check of the doctor, with the fault that it is there for."""

import json
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labkit import doctor
from labkit.commands import setup
from labkit.grading.sandbox import bubblewrap, cgroups


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Put a module before the installed one of that name, which raises what a fault raises."""

    def put(name: str, statement: str) -> None:
        (tmp_path / f"{name}.py").write_text(statement)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Install a kernel python3 that runs the given program, where Jupyter looks first."""

    def put(program: str) -> Path:
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        spec = {"argv": [program, "-m", "ipykernel_launcher"], "display_name": "Python 3"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        return folder

    return put


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a shell script first in PATH."""

    def put(name: str, text: str) -> None:
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return put


def test_python_that_is_too_old(monkeypatch):
    monkeypatch.setattr(metadata, "metadata", lambda _: {"Requires-Python": ">=3.11,<3.14"})
    monkeypatch.setattr(sys, "version_info", (3, 10, 1, "final", 0))
    finding = doctor.check_python()
    assert finding.status == "problem"
    assert "3.10.1" in finding.message and ">=3.11,<3.14" in finding.message


def test_packages_that_are_old_or_missing(monkeypatch):
    lines = ["numpy>=99", "no-such-thing", "rich>=1", "pytest>=99; extra == 'test'"]
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    finding = doctor.check_packages()
    assert finding.status == "problem"
    assert "numpy is" in finding.message and ">=99" in finding.message
    assert "no-such-thing is missing" in finding.message
    assert finding.remedy.endswith("install -c constraints.txt numpy no-such-thing")


def test_packages_that_fit(monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda _: ["rich>=1", "no-such; extra == 'test'"])
    assert doctor.check_packages() == doctor.Finding("packages", "ok", "all 1 in versions that fit")


@pytest.mark.parametrize("check", [doctor.check_python, doctor.check_packages])
def test_labkit_found_by_its_path_alone(monkeypatch, check):
    def nothing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", nothing)
    monkeypatch.setattr(metadata, "requires", nothing)
    assert "not installed" in check().message


def test_torchvision_of_another_torch(broken):
    broken("torch", "")
    broken("torchvision", "raise RuntimeError('operator torchvision::nms does not exist')")
    finding = doctor.check_torch()
    assert finding.status == "problem"
    assert finding.message.endswith("do not fit together")
    assert "uninstall -y torch torchvision" in finding.remedy


def test_torch_that_is_missing(broken):
    broken("torch", "raise ModuleNotFoundError(\"No module named 'torch'\")")
    assert "No module named 'torch'" in doctor.check_torch().message
    assert doctor.check_gpu().status == "advice"


def test_torch_that_hangs(broken, monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    broken("torch", "import time; time.sleep(60)")
    assert "no answer within 0.2 s" in doctor.check_torch().message


@pytest.mark.parametrize("library", ["libGL.so.1", "libgthread-2.0.so.0"])
def test_opencv_without_its_system_libraries(broken, library):
    broken("cv2", f"raise ImportError('{library}: cannot open shared object file')")
    finding = doctor.check_opencv()
    assert finding.status == "problem" and library in finding.message
    assert finding.remedy.startswith("sudo apt-get install libgl1 libglib2.0-0")


def test_opencv_that_does_not_load_on_windows(broken):
    broken("cv2", "raise ImportError('DLL load failed while importing cv2')")
    assert "Visual C++" in doctor.check_opencv().remedy


def test_kernel_of_another_installation(kernel):
    folder = kernel("/usr/lib/elsewhere/bin/python3")
    finding = doctor.check_kernel()
    assert finding.status == "problem"
    assert "/usr/lib/elsewhere/bin/python3" in finding.message
    assert str(folder) in finding.remedy


@pytest.mark.parametrize("name", [sys.executable, "python", "python3"])
def test_kernel_of_this_environment(kernel, name):
    kernel(name)
    assert doctor.check_kernel().status == "ok"


def test_nbgrader_that_is_broken(broken):
    broken("nbgrader", "raise ImportError('no traitlets')")
    finding = doctor.check_nbgrader()
    assert finding.status == "problem" and "no traitlets" in finding.message


def test_the_sandbox_is_what_grading_says_of_it_and_only_advice(monkeypatch):
    monkeypatch.setattr(bubblewrap, "why_not", lambda: "there is none: do this")
    finding = doctor.check_sandbox()
    assert finding.status == "advice"
    assert finding.message == "only those who grade need one, but there is none: do this"


@pytest.mark.parametrize("version", [1, 2, None])
def test_whether_there_are_control_groups(monkeypatch, version):
    monkeypatch.setattr(bubblewrap, "why_not", lambda: None)
    monkeypatch.setattr(cgroups, "available", lambda: version)
    finding = doctor.check_sandbox()
    assert finding.status == ("advice" if version is None else "ok")
    assert ("systemd-run" in finding.remedy) is (version is None)


@pytest.fixture
def course():
    """A course folder that everybody can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "nbgrader_config.py").write_text("c = get_config()\n")
        (Path(folder) / "nbgrader_config.py").chmod(0o600)
        yield Path(folder)


def test_a_course_that_is_closed_open_and_shared_on_purpose(course):
    assert doctor.check_course(course).status == "ok"
    (marks := course / "gradebook.db").touch()
    marks.chmod(0o604)
    finding = doctor.check_course(course)
    assert (finding.status, finding.remedy) == ("advice", f"chmod o-rwx {course}")
    assert finding.message == "others on this machine can read gradebook.db"
    marks.chmod(0o606)
    assert doctor.check_course(course).status == "problem"
    (course / "nbgrader_config.py").write_text("get_config().CourseAccess.allow_shared = True\n")
    assert doctor.check_course(course).status == "advice"


def test_a_course_whose_gradebook_or_configuration_cannot_be_used(course):
    (course / "gradebook.db").write_text("marks " * 1000)
    finding = doctor.check_course(course)
    assert finding.status == "problem" and "is no database of SQLite's" in finding.message
    (course / "nbgrader_config.py").write_text("c = get_config(\n")
    assert "was never closed" in doctor.check_course(course).message


@pytest.mark.parametrize(("name", "looked_at"), [("nbgrader_config.py", True), ("README", False)])
def test_command_looks_at_the_course_that_it_is_run_in(monkeypatch, tmp_path, name, looked_at):
    (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(setup, "examine", lambda course: seen.append(course) or [])
    app = typer.Typer()
    app.command()(setup.doctor)
    assert CliRunner().invoke(app).exit_code == 0
    assert CliRunner().invoke(app, ["--course", "other"]).exit_code == 0
    assert seen == [Path() if looked_at else None, Path("other")]


def test_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file" / "torch"))
    finding = doctor.check_torch_cache()
    assert finding.status == "problem" and "TORCH_HOME" in finding.remedy


def test_cache_that_is_yet_to_be_made_or_is_full(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "later" / "torch"))
    assert doctor.check_torch_cache().status == "ok"
    assert not (tmp_path / "later").exists()
    monkeypatch.setattr(doctor, "ROOM", 1e9)
    assert doctor.check_torch_cache().status == "advice"


def run(monkeypatch, *findings):
    app = typer.Typer()
    app.command()(setup.doctor)
    monkeypatch.setattr(setup, "examine", lambda course: list(findings))
    return CliRunner().invoke(app)


def test_command_succeeds_unless_there_is_a_problem(monkeypatch):
    advice = doctor.Finding("GPU", "advice", "old", "buy")
    assert run(monkeypatch, advice).exit_code == 0
    assert run(monkeypatch, advice, doctor.Finding("torch", "problem", "gone")).exit_code == 1


def test_command_keeps_one_line_a_finding_when_piped(monkeypatch):
    long = doctor.Finding("torch", "problem", "[bold]" * 50, "x " * 200)
    lines = run(monkeypatch, long).stdout.splitlines()
    assert lines[0].startswith("problem torch     [bold]")
    assert lines[1].strip().startswith("to do: x x")
    assert len(lines) == 3


def test_everything_on_this_machine():
    findings = {finding.name: finding for finding in doctor.examine()}
    assert len(findings) == len(doctor.CHECKS)
    for name in ("torch", "OpenCV", "nbgrader"):
        assert findings[name].status == "ok", findings[name]
