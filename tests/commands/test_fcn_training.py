"""`labkit train fcn32s|fcn8s`, their evaluation, and the tables of document 003."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labkit.training import fcn

FILES = {
    "best.pt",
    "config.json",
    "confusion.png",
    "curves.png",
    "history.csv",
    "last.pt",
    "predictions.png",
    "test.json",
}


def test_a_run_holds_everything_and_can_be_evaluated(labkit):
    code, out, _ = labkit("train", "fcn8s", "--epochs", "2", "--seed", "3")
    assert code == 0
    run = Path("runs/fcn8s-001")
    assert {path.name for path in run.iterdir()} == FILES
    config = json.loads((run / "config.json").read_text())
    assert (config["network"], config["preset"], config["seed"]) == ("fcn8s", "grade", 3)
    history = pd.read_csv(run / "history.csv")
    test = json.loads((run / "test.json").read_text())
    assert test["epoch"] == 1 + history["validation_mean_iou"].argmax()
    confusion = np.array(test["confusion"])
    assert confusion.sum() == 4 * 32 * 32
    assert test["accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum())
    assert f"mean IoU {test['mean_iou']:.3f}" in out
    code, again, _ = labkit("evaluate", run)
    assert code == 0 and f"mean IoU {test['mean_iou']:.3f}" in again


def test_a_stopped_run_goes_on_with_the_command_it_names(labkit, monkeypatch):
    learn, stopped = fcn._learn, []

    def stop_in_the_second_epoch(state, epoch, *rest):
        if epoch == 2 and not stopped:
            stopped.append(epoch)
            raise KeyboardInterrupt
        return learn(state, epoch, *rest)

    monkeypatch.setattr(fcn, "_learn", stop_in_the_second_epoch)
    code, out, _ = labkit("train", "fcn32s", "--epochs", "3", "--run", "mine")
    assert code != 0
    command = out.split("to go on: labkit ")[1].split()
    assert command == ["train", "fcn32s", "--run", "mine", "--resume"]
    assert labkit(*command)[0] == 0
    labkit("train", "fcn32s", "--epochs", "3", "--run", "whole")
    one, other = (
        pd.read_csv(Path(f) / "history.csv").drop(columns="seconds") for f in ("mine", "whole")
    )
    pd.testing.assert_frame_equal(one, other)


def test_starts_from_zeros(labkit):
    assert labkit("train", "fcn32s", "--weights", "zeros", "--width", "0.05", "--run", "z")[0] == 0
    config = json.loads(Path("z/config.json").read_text())
    assert (config["weights"], config["width"]) == ("zeros", 0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fcn32s", "--size", "50"], "size is 50, which fcn32s does not take: try 45 or 58"),
        (["fcn8s", "--folds", "5"], "folds is for cam and seg, not for fcn8s"),
        (["fcn8s", "--loss", "handout"], "loss is for seg, not for fcn8s"),
        (["fcn8s", "--weights", "imagenet"], "expected 1 for VGG-16"),
        (["fcn8s", "--data", "nowhere"], "there is no folder"),
        (["fcn8s", "--width", "2"], "width is 2.0"),
        (["cam", "--width", "0.5"], "width is for fcn32s, fcn8s, vgg-cam and recam, not for cam"),
        (["cam", "--weights", "zeros"], "--weights zeros is for fcn32s and fcn8s, not for cam"),
        (["fcn8s", "--resume"], "--resume without --run"),
    ],
)
def test_refuses_before_anything_is_written(labkit, arguments, message):
    code, _, complaint = labkit("train", *arguments)
    assert (code, list(Path().iterdir())) == (2, [])
    assert message in complaint


def test_a_run_is_resumed_with_its_own_settings(labkit):
    labkit("train", "fcn8s", "--run", "mine")
    code, _, complaint = labkit("train", "fcn8s", "--run", "mine", "--resume", "--lr", "0.1")
    assert code == 2 and "was started with lr 0.001, not 0.1" in complaint
    code, _, complaint = labkit("train", "fcn32s", "--run", "mine", "--resume")
    assert code == 2 and "was started with network fcn8s, not fcn32s" in complaint
    assert labkit("train", "fcn8s", "--run", "mine", "--resume", "--epochs", "2")[0] == 0


class TestFcnTables:
    def test_figures_beside_the_published_ones(self, labkit):
        arguments = ["experiment", "fcn-tables", "--preset", "grade", "--seeds", "1", "--out", "t"]
        code, out, _ = labkit(*arguments)
        assert code == 0
        table = pd.read_csv("t/table.csv")
        assert table[["network", "start"]].apply(tuple, axis=1).tolist() == [
            ("fcn32s", "zeros"),
            ("fcn32s", "proper"),
            ("fcn8s", "proper"),
        ]
        for figure in [*table["mean_iou"], 0.4821, 0.3808, 0.0304]:
            assert f"{figure:.4f}" in out
        assert "the commonest class everywhere: accuracy" in out
        last = Path("t/fcn8s-proper-0/last.pt")
        before = last.stat().st_mtime_ns
        assert labkit(*arguments)[1] == out
        assert last.stat().st_mtime_ns == before

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--seeds", "0"], "seeds is 0"),
            (["--size", "50"], "size is 50, which FCN-32s does not take: expected 45 or 58"),
            (["--preset", "fast"], "no preset 'fast'"),
            (["--data", "nowhere"], "there is no folder"),
        ],
    )
    def test_refuses_before_anything_is_written(self, labkit, arguments, message):
        code, _, complaint = labkit("experiment", "fcn-tables", *arguments)
        assert (code, list(Path().iterdir())) == (2, [])
        assert message in complaint


def test_the_facades_are_fetched_into_a_folder(labkit, monkeypatch):
    asked = []
    monkeypatch.setattr("labkit.data.fetch.cmp_facade", asked.append)
    code, out, _ = labkit("data", "cmp-facade", "--to", "cmp")
    assert (code, asked) == (0, [Path("cmp")])
    assert out == "cmp-facade is in cmp: labkit train fcn8s --data cmp\n"
