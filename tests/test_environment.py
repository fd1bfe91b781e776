"""environment.yml, constraints.txt and pyproject.toml say the same."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.fixture(scope="module")
def conda() -> list:
    """The dependencies that environment.yml names."""
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


@pytest.fixture(scope="module")
def pins() -> list[Requirement]:
    """The lines of constraints.txt, in order."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def test_conda_takes_the_same_packages_and_the_project_itself(conda):
    constraints, *packages, project = conda[-1]["pip"]
    assert constraints == "-c constraints.txt"
    assert packages == PROJECT["dependencies"]
    assert project == "-e ."


def test_conda_takes_the_same_pythons_and_a_pip(conda):
    python, pip, _ = conda
    name, versions = python.split()
    assert name == "python"
    assert SpecifierSet(versions) == SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"


def test_every_constraint_is_one_exact_public_version(pins):
    for pin in pins:
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), f"{pin} is not name==version"
        assert not (pin.url or pin.extras or pin.marker)


def test_constraints_are_sorted_and_named_once(pins):
    names = [pin.name.lower() for pin in pins]
    assert names == sorted(names)
    assert len({canonicalize_name(name) for name in names}) == len(names)


@pytest.mark.parametrize("group", ["dependencies", *EXTRAS])
def test_constraints_fit_what_pyproject_asks_for(pins, group):
    pinned = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in pins}
    wanted = EXTRAS.get(group, PROJECT["dependencies"])
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} has no line in constraints.txt"
        assert requirement.specifier.contains(version), f"{requirement} and {version}"


def test_constraints_allow_every_python_of_the_project(pins):
    """Debian 12 has 3.11.2, and what needs a later one cannot be installed there."""
    oldest = min(Version(each.version) for each in SpecifierSet(PROJECT["requires-python"]))
    for pin in pins:
        try:
            wants = metadata.metadata(pin.name).get("Requires-Python")
        except metadata.PackageNotFoundError:
            continue  # of an extra that is not installed here
        assert SpecifierSet(wants or "").contains(oldest), f"{pin} wants Python {wants}"


def test_constraints_leave_cuda_to_the_build_of_torch(pins):
    assert not [pin for pin in pins if re.match(r"nvidia|cuda|triton", pin.name)]
