"""The command line: instant help, one sentence for what was given wrongly."""

import subprocess
import sys
from pathlib import Path

import pytest

from labkit import __version__

ROOT = Path(__file__).parents[1]


def labkit(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "labkit", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_version_and_help():
    assert labkit("--version").stdout.strip() == f"labkit {__version__}"
    shown = labkit("--help").stdout
    for command in ("course", "export", "lint", "try", "sample-class"):
        assert f" {command} " in shown


def test_help_imports_nothing_heavy():
    program = (
        "import sys, labkit.cli; "
        "print([name for name in ('torch', 'numpy', 'pandas', 'nbgrader', 'cv2', 'matplotlib') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lint", "lab99"], "labkit: there is no lab 'lab99', which would be a notebook in "),
        (["try", "lab99"], "labkit: there is no lab 'lab99', which would be a notebook in "),
        (
            ["sample-class", "lab99"],
            f"labkit: there is no notebook {ROOT}/source/lab99/lab99.ipynb",
        ),
    ],
)
def test_what_is_wrong_ends_in_one_sentence(arguments, sentence):
    done = labkit(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_the_course_needs_labs(tmp_path):
    done = labkit("course", cwd=tmp_path)
    assert done.returncode == 2
    assert f"there is no lab in {tmp_path / 'source'}" in done.stderr
    assert list(tmp_path.iterdir()) == []
