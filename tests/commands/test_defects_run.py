"""`labkit train defects`, its evaluation, and `labkit experiment defects-table`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from labkit import presets
from labkit.data import Dagm
from labkit.training import classifiers

FILES = {
    "best.pt",
    "config.json",
    "confusion.png",
    "curves.png",
    "history.csv",
    "last.pt",
    "maps.png",
    "test.json",
}


def test_a_run_holds_everything_and_can_be_evaluated(labkit):
    arguments = ["--problem", "2", "--fusion", "mul", "--epochs", "2", "--seed", "3"]
    code, out, _ = labkit("train", "defects", *arguments)
    assert code == 0
    run = Path("runs/defects-001")
    assert {path.name for path in run.iterdir()} == FILES
    config = json.loads((run / "config.json").read_text())
    assert (config["problem"], config["fusion"], config["seed"]) == (2, "mul", 3)
    history = pd.read_csv(run / "history.csv")
    test = json.loads((run / "test.json").read_text())
    assert test["epoch"] == 1 + history["validation_balanced_accuracy"].argmax()
    confusion = np.array(test["confusion"])
    labels = Dagm("builtin", "test", 2, 32, count=24).labels.numpy()
    assert confusion.sum(axis=1).tolist() == np.bincount(labels).tolist()
    assert test["accuracy"] == pytest.approx(np.trace(confusion) / 24)
    assert test["recall"] == pytest.approx(confusion[1, 1] / labels.sum())
    assert set(test["iou"]) == {"CAM", *(f"LayerCAM, stage{n}" for n in (2, 3, 4))}
    code, again, _ = labkit("evaluate", run)
    figures = [test["accuracy"], test["roc_auc"], *test["iou"].values()]
    for text in (out, again):
        assert f"24 test surfaces, {labels.sum()} of them defective" in text
        assert all(f"{figure:.3f}" in text for figure in figures)
    assert code == 0


def test_a_stopped_run_goes_on_with_the_command_it_names(labkit, monkeypatch):
    learn, stopped = classifiers._learn, []

    def stop_in_the_second_epoch(state, epoch, *rest):
        if epoch == 2 and not stopped:
            stopped.append(epoch)
            raise KeyboardInterrupt
        return learn(state, epoch, *rest)

    monkeypatch.setattr(classifiers, "_learn", stop_in_the_second_epoch)
    code, out, _ = labkit("train", "defects", "--epochs", "3", "--run", "mine")
    assert code != 0
    command = out.split("to go on: labkit ")[1].split()
    assert command == ["train", "defects", "--run", "mine", "--resume"]
    assert labkit(*command)[0] == 0
    labkit("train", "defects", "--epochs", "3", "--run", "whole")
    one, other = (
        pd.read_csv(Path(f) / "history.csv").drop(columns="seconds") for f in ("mine", "whole")
    )
    pd.testing.assert_frame_equal(one, other)


def test_a_run_is_resumed_with_its_own_settings(labkit):
    labkit("train", "defects", "--run", "mine", "--problem", "4")
    again = ["train", "defects", "--run", "mine", "--resume"]
    for option, value, message in (
        ("--problem", "5", "was started with problem 4, not 5"),
        ("--fusion", "add", "was started with fusion none, not add"),
        ("--lr", "0.1", "was started with lr 0.003, not 0.1"),
    ):
        code, _, complaint = labkit(*again, option, value)
        assert code == 2 and message in complaint
    assert labkit(*again, "--epochs", "2")[0] == 0
    assert len(pd.read_csv("mine/history.csv")) == 2
    code, _, complaint = labkit("train", "fcn8s", "--run", "mine", "--resume")
    assert code == 2
    labkit("train", "cam", "--run", "other")
    code, _, complaint = labkit("train", "defects", "--run", "other", "--resume")
    assert code == 2 and "holds a training of cam, expected one of defects" in complaint
    code, _, complaint = labkit("explain", "mine")
    assert code == 2 and "mine holds a training of defects, expected one of cam" in complaint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["defects", "--problem", "7"], "the built-in set has the problems 1 to 6"),
        (["defects", "--size", "15"], "size is 15, expected at least 16"),
        (["defects", "--folds", "5"], "--folds is for cam and seg, not for defects: leave it out"),
        (["defects", "--loss", "none"], "--loss is for seg, not for defects: leave it out"),
        (
            ["defects", "--weights", "none"],
            "weights is for cam, seg, fcn32s, fcn8s, vgg-cam and recam, not for defects",
        ),
        (["defects", "--data", "nowhere"], "there is no folder"),
        (["defects", "--preset", "fast"], "no preset 'fast'"),
        (["defects", "--epochs", "0"], "epochs"),
        (["defects", "--resume"], "--resume without --run"),
        (["cam", "--problem", "2"], "problem is for defects, not for cam"),
        (["recam", "--problem", "2"], "problem is for defects, not for recam"),
        (["defects", "--variant", "naive"], "variant is for recam, not for defects"),
        (["fcn8s", "--fusion", "mul"], "fusion is for defects, not for fcn8s"),
    ],
)
def test_refuses_before_anything_is_written(labkit, arguments, message):
    code, _, complaint = labkit("train", *arguments)
    assert (code, list(Path().iterdir())) == (2, [])
    assert message in complaint


@pytest.fixture
def good_tiles(tmp_path):
    """A folder of magnetic tiles of which too few are defective for every split to have one."""
    folder = tmp_path / "tiles"
    for kind, count in (("MT_Free", 40), ("MT_Crack", 2)):
        (folder / kind / "Imgs").mkdir(parents=True)
        for i in range(count):
            noise = np.random.default_rng(i).integers(0, 255, (24, 24), dtype=np.uint8)
            Image.fromarray(noise).save(folder / kind / "Imgs" / f"{i}.jpg")
            mask = np.zeros((24, 24), np.uint8)
            mask[4:9, 4:9] = 255 * (kind != "MT_Free")
            Image.fromarray(mask).save(folder / kind / "Imgs" / f"{i}.png")
    return folder


@pytest.mark.parametrize("command", [["train", "defects"], ["experiment", "defects-table"]])
def test_surfaces_of_one_class_are_refused_before_the_training(labkit, good_tiles, command):
    code, _, complaint = labkit(*command, "--data", good_tiles)
    assert (code, list(Path().iterdir())) == (2, [good_tiles.relative_to(Path().resolve())])
    assert "expected good and defective ones" in complaint


class TestDefectsTable:
    ARGUMENTS = ("experiment", "defects-table", "--preset", "tiny", "--seeds", "2", "--out", "t")

    @pytest.fixture(autouse=True)
    def _tiny(self, monkeypatch):
        """Two of the problems, and no more than the trainings need to run."""
        tiny = replace(presets.preset("lab7_defects", "grade"), name="tiny", size=16)
        monkeypatch.setitem(presets.PRESETS["lab7_defects"], "tiny", tiny)
        monkeypatch.setattr("labkit.data.dagm.problems", lambda root: [1, 4])

    def test_figures_beside_the_published_ones(self, labkit):
        code, out, _ = labkit(*self.ARGUMENTS)
        assert code == 0
        figures = pd.read_csv("t/figures.csv")
        maps = figures.groupby(["problem", "fusion", "seed"])["map"].size()
        assert maps.to_dict() == {
            (p, fusion, seed): 13 if fusion == "none" else 2
            for p in (1, 4)
            for fusion in ("none", "add", "mul")
            for seed in (0, 1)
        }
        verdicts = pd.read_csv("t/proposals.csv")
        cam = figures[figures["map"] == "CAM"].groupby("fusion")["iou"].mean()
        assert verdicts.loc[0, "difference"] == pytest.approx(cam["mul"] - cam["add"])
        for published in (0.2726, 0.9364, 15 / 26):
            assert f"{published:.3f}" in out
        kept = {path: path.stat().st_mtime_ns for path in Path("t").glob("p*/last.pt")}
        assert len(kept) == 12
        assert labkit(*self.ARGUMENTS)[1] == out
        assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
        code, _, complaint = labkit(*self.ARGUMENTS, "--epochs", "2")
        assert code == 2 and "t holds trainings with epochs 1, not 2" in complaint

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--seeds", "1"], "seeds is 1, expected at least 2"),
            (["--size", "8"], "size is 8, expected at least 16"),
            (["--preset", "fast"], "no preset 'fast'"),
            (["--data", "nowhere"], "there is no folder"),
            (["--epochs", "-1"], "epochs"),
        ],
    )
    def test_refuses_before_anything_is_written(self, labkit, arguments, message):
        code, _, complaint = labkit("experiment", "defects-table", *arguments)
        assert (code, list(Path().iterdir())) == (2, [])
        assert message in complaint
