"""The tools that try the labs' tests: which check fails, and which changes are made."""

import importlib
from pathlib import Path

import pytest

from labkit import checks

TOOLS = Path(__file__).parents[1] / "tools"
SOLVED = """def f(a=1):
    ### BEGIN SOLUTION
    b: int = 3
    if a > b:
        raise ValueError("too large")
    return max(a, 1)
    ### END SOLUTION"""


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module


def test_each_check_is_tried_by_itself(tool):
    kills = tool("kills")
    text = """marks = checks.Marks()
with marks.part(1, "all"):
    checks.require(False, "fails")
    for i in (1, 2):
        checks.number("i", i, 1)
    assert i == 2
    checks.require(1 / 0, "cannot be looked at")
total = marks.total()"""
    failed = set()
    names = {"checks": checks, "_check": lambda line: kills.Noting(lambda: failed.add(line))}
    code, lines = kills.watched(text, 10)
    exec(code, names)
    assert list(lines) == [13, 15, 16, 17]
    assert lines[15] == "checks.number('i', i, 1)"
    assert failed == {13, 15, 17}
    assert names["total"] == 1


def test_changes_stay_in_the_solution_and_are_told_apart(tool):
    pytest.importorskip("mutmut")
    pytest.importorskip("cosmic_ray")
    found = list(tool("generated_mutants").changes("cell", SOLVED))
    assert {change.after for change in found} >= {
        "if a >= b:",  # by both
        "return max(a, None)",  # by mutmut
        "return max(a, 0)",  # by cosmic-ray
        "b: int = 4",
    }
    assert len({change.key for change in found}) == len(found)
    for change in found:
        assert "def f(a=1):" in change.text and 'ValueError("too large")' in change.text
        assert "###" not in change.text
