"""Which kernel a lab runs in, whatever the gradebook holds."""

import json
import shutil
import subprocess
import sys

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbformat.v4 import new_notebook

from labkit.grading import kernelspecs

PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


@pytest.mark.parametrize(
    ("stored", "kernel"),
    [
        (None, None),
        ("", None),
        ("{}", None),  # what nbgrader stores for a notebook that names none
        ("null", None),
        ('""', None),
        ("[]", None),
        ('"python3"', None),
        ("{", None),
        ("[" * 100_000, None),
        ('{"name": ""}', None),
        ('{"name": null, "display_name": null}', None),
        ('{"display_name": "Python 3"}', None),
        ('{"display_name": "Python 3", "language": "Python"}', None),
        ('{"name": 5, "display_name": "Python 3", "language": "python"}', None),
        ('{"name": "python3"}', {"name": "python3", "display_name": "python3"}),
        (
            '{"name": "python3", "display_name": 5, "language": 7, "env": {}}',
            {"name": "python3", "display_name": "python3"},
        ),
        (json.dumps(PYTHON), PYTHON),
        (
            '{"language": "Klingon"}',
            {"name": "Klingon", "display_name": "Klingon", "language": "Klingon"},
        ),
    ],
)
def test_what_the_gradebook_says_is_made_a_kernelspec(stored, kernel):
    found = kernelspecs.of_lab(stored)
    assert found == kernel
    if found is not None:
        nbformat.validate(new_notebook(metadata={"kernelspec": found}))


@pytest.fixture
def with_r(monkeypatch):
    """R is installed, and a kernel whose environment is gone."""
    installed = {
        "ir": KernelSpec(argv=[sys.executable], language="R"),
        "gone": KernelSpec(argv=["/nowhere/bin/python"], language="python"),
    }
    get, find = KernelSpecManager.get_kernel_spec, KernelSpecManager.find_kernel_specs
    monkeypatch.setattr(
        KernelSpecManager,
        "get_kernel_spec",
        lambda self, name: installed.get(name) or get(self, name),
    )
    monkeypatch.setattr(
        KernelSpecManager, "find_kernel_specs", lambda self: find(self) | dict.fromkeys(installed)
    )
    monkeypatch.setattr(
        KernelSpecManager,
        "get_all_specs",
        lambda self: {name: {"spec": spec.to_dict()} for name, spec in installed.items()},
    )


def test_a_kernel_without_a_name_is_the_one_of_its_language(with_r):
    assert kernelspecs.of_lab('{"language": "r", "display_name": "R"}').name == "ir"
    assert missing(kernelspecs.of_lab('{"language": "R"}')) is None


def missing(spec, chosen=""):
    metadata = {} if spec is None else {"kernelspec": spec}
    two = nbformat.from_dict({"metadata": metadata})
    return kernelspecs.missing({"one": new_notebook(), "two": two}, chosen)


@pytest.mark.parametrize("spec", [None, PYTHON, {}])
def test_a_kernel_that_is_installed(spec):
    assert missing(spec) is None


@pytest.mark.parametrize(
    ("spec", "chosen", "said"),
    [
        (PYTHON | {"name": "ml"}, "", "the notebook 'two' runs in the kernel 'ml', which is not"),
        (PYTHON | {"name": "ml"}, "", "python -m ipykernel install --sys-prefix --name ml. Or"),
        (PYTHON | {"name": "gone"}, "", "the kernel 'gone', which is not installed here"),
        (PYTHON | {"name": "Python 3"}, "", "No kernel can have such a name. Or choose another"),
        (PYTHON | {"name": "../x; rm"}, "", "No kernel can have such a name. Or choose another"),
        (
            {"name": "xs", "language": "Scheme"},
            "",
            "there are: gone, ir, python3. Install a kernel ",
        ),
        ({"name": "xs", "language": "Scheme"}, "", "Install a kernel for Scheme. Or choose"),
        (PYTHON, "ml", "the notebook 'one' runs in the kernel 'ml', which is not installed"),
    ],
)
def test_a_kernel_that_nobody_has_is_named_with_what_to_do(with_r, spec, chosen, said):
    assert said in missing(spec, chosen)


def test_the_courses_own_choice_goes_before(with_r):
    assert missing(PYTHON | {"name": "ml"}, "python3") is None


def test_a_kernel_of_this_python_needs_no_python_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing(PYTHON) is None


@pytest.mark.slow
def test_what_the_sentence_says_to_do_works(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    spec = PYTHON | {"name": "for-this-test"}
    command = missing(spec).partition("Install it: ")[2].partition(". Or")[0]
    words = command.replace("--sys-prefix", f"--prefix {tmp_path}").split()
    assert shutil.which(words[0])
    subprocess.run([sys.executable, *words[1:]], check=True, capture_output=True)
    assert missing(spec) is None
