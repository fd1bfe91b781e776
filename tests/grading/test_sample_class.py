"""Mutants and the sample class: what is asked for is there, and nothing of others is lost."""

import pytest

from labkit.errors import InputError
from labkit.grading import mutants
from labkit.grading.mutants import Mutant
from labkit.grading.sample_class import write_course


def test_a_mutant_changes_its_cell_alone():
    mutant = Mutant("off by one", "f", [("x + 1", "x")], {"test-f": 1.0})
    solutions = {"f": "return x + 1", "g": "x + 1"}
    assert mutant.apply(solutions) == {"f": "return x", "g": "x + 1"}
    assert solutions["f"] == "return x + 1"


def test_a_mutant_of_a_text_that_has_gone_is_an_error():
    mutant = Mutant("old", "f", [("x + 2", "x")])
    with pytest.raises(InputError, match=r"the mutant 'old' replaces 'x \+ 2'"):
        mutant.apply({"f": "return x + 1"})


def test_a_lab_without_mutants(tmp_path):
    with pytest.raises(InputError, match="there is no list of mutants"):
        mutants.load(tmp_path, "lab")


def test_a_folder_that_is_no_sample_course_is_not_replaced(tmp_path):
    (mine := tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is there already and was not made by labkit"):
        write_course(tmp_path, tmp_path, {})
    assert mine.read_text() == "years of work"


def test_a_mutant_of_a_cell_that_is_no_answer():
    with pytest.raises(InputError, match="the mutant 'lost' changes 'h', which is no answer"):
        Mutant("lost", "h", []).apply({"f": "return x + 1"})


def test_a_list_of_mutants_without_a_sample_class(tmp_path):
    (folder := tmp_path / "tests" / "mutants").mkdir(parents=True)
    (folder / "lab.py").write_text("MUTANTS = ALTERNATIVES = ()")
    with pytest.raises(InputError, match=r"lab\.py defines no SAMPLE_CLASS"):
        mutants.load(tmp_path, "lab")
