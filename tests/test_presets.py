import pytest

from labkit.errors import InputError
from labkit.presets import PRESETS, current, preset


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    monkeypatch.delenv("LABKIT_PRESET", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@pytest.mark.parametrize("lab", PRESETS)
@pytest.mark.parametrize("name", ["grade", "laptop", "paper"])
def test_every_lab_has_the_three(lab, name):
    assert preset(lab, name).name == name


def test_laptop_is_the_default():
    assert current("lab1_cam").name == "laptop"


@pytest.mark.parametrize("mode", ["autograde", "validate"])
def test_nbgrader_takes_grade(monkeypatch, mode):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    assert current("lab1_cam").name == "grade"


def test_the_variable_overrides_nbgrader(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setenv("LABKIT_PRESET", "paper")
    assert current("lab1_cam").name == "paper"


def test_what_a_lab_does_not_do_is_not_shown():
    shown = repr(preset("lab2_seg", "laptop"))
    assert "seg_epochs=4" in shown
    assert "folds" not in shown


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("LABKIT_PRESET", "")
    assert current("lab1_cam").name == "laptop"


def test_a_wrong_name_says_which_there_are(monkeypatch):
    monkeypatch.setenv("LABKIT_PRESET", "fast")
    with pytest.raises(InputError, match=r"'fast', expected one of grade, laptop, paper"):
        current("lab1_cam")
    with pytest.raises(InputError, match="'lab9', expected one of lab1_cam"):
        current("lab9")


def test_paper_is_what_the_handout_asks_for():
    paper = preset("lab1_cam", "paper")
    assert (paper.size, paper.epochs, paper.batch_size, paper.lr) == (224, 10, 64, 1e-3)
    assert (paper.train_images, paper.fold_images, paper.test_images) == (50_000, 50_000, 10_000)
