import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands.blobs import Blobs

from labkit.commands import cam_run
from labkit.data import CamSeg
from labkit.runs import load_checkpoint
from labkit.segmentation import SegObjective
from labkit.training import classification, classifiers
from labkit.transforms import Compose, HFlip, Rot90, Scale

FILES = {
    "best.pt",
    "cams.png",
    "config.json",
    "confusion.png",
    "curves.png",
    "history.csv",
    "last.pt",
    "test.json",
}


def test_a_run_holds_everything(labkit):
    code, out, _ = labkit("train", "cam", "--epochs", "4", "--lr", "0.01", "--seed", "3")
    assert code == 0
    run = Path("runs/cam-001")
    assert {path.name for path in run.iterdir()} == FILES

    config = json.loads((run / "config.json").read_text())
    assert (config["preset"], config["epochs"], config["lr"], config["seed"]) == (
        "grade",
        4,
        0.01,
        3,
    )
    history = pd.read_csv(run / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    test = json.loads((run / "test.json").read_text())
    assert test["images"] == 12
    assert np.sum(test["confusion"]) == 12
    assert test["accuracy"] == np.trace(test["confusion"]) / 12
    assert test["epoch"] == 1 + history["validation_accuracy"].argmax()
    assert set(test["iou"]["sources"]) == {"75", "100", "125", "150", "175"}
    by_class = [test["iou"]["classes"][name]["100"] for name in Blobs.classes]
    assert test["iou"]["sources"]["100"] == pytest.approx(np.mean(by_class))
    assert 0 < test["iou"]["test"]["100"] < 1
    assert f"test accuracy {test['accuracy']:.3f} of 12 images" in out
    for picture in run.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_new_run_takes_the_next_number(labkit):
    labkit("train", "cam")
    labkit("train", "cam")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["cam-001", "cam-002"]


def test_without_masks_there_is_no_iou(labkit, monkeypatch):
    monkeypatch.setattr(Blobs, "masks", False)
    code, out, _ = labkit("train", "cam", "--run", "here")
    assert code == 0
    assert {path.name for path in Path("here").iterdir()} == FILES - {"cams.png"}
    iou = json.loads(Path("here/test.json").read_text())["iou"]
    assert iou == {"sources": None, "classes": None, "test": None}
    assert "no IoU without masks: there is no test_seg" in out


def test_folds_are_trained_before(labkit):
    code, out, _ = labkit("train", "cam", "--folds", "2", "--run", "here")
    assert code == 0
    folds = pd.read_csv("here/folds.csv")
    assert folds["fold"].tolist() == [1, 2]
    assert {path.name for path in Path("here/fold2").iterdir()} == {
        "best.pt",
        "history.csv",
        "last.pt",
    }
    assert f"validation accuracy {folds['validation_accuracy'].mean():.3f} ±" in out


def test_a_stopped_run_goes_on_as_if_it_had_not_been(labkit, monkeypatch):
    options = ("train", "cam", "--epochs", "3", "--folds", "2")
    labkit(*options, "--run", "unbroken")
    monkeypatch.setattr(Blobs, "stop_at", 260)  # after the folds, in the second epoch
    code, out, _ = labkit(*options, "--run", "broken")
    assert code == 130
    assert "stopped; to go on: labkit train cam --run broken --resume" in out
    assert len(pd.read_csv("broken/history.csv")) == 1
    monkeypatch.setattr(Blobs, "stop_at", None)
    assert labkit("train", "cam", "--run", "broken", "--resume")[0] == 0

    weights = [load_checkpoint(Path(run) / "best.pt") for run in ("broken", "unbroken")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    for name in ("test.json", "folds.csv", "config.json"):
        assert (Path("broken") / name).read_text() == (Path("unbroken") / name).read_text()


def test_a_finished_run_can_be_made_longer_but_not_shorter(labkit):
    labkit("train", "cam", "--run", "here", "--epochs", "2")
    assert labkit("train", "cam", "--run", "here", "--resume", "--epochs", "3")[0] == 0
    assert len(pd.read_csv("here/history.csv")) == 3
    code, _, complaint = labkit("train", "cam", "--run", "here", "--resume", "--epochs", "1")
    assert (code, complaint.count("\n")) == (2, 1)
    assert "longer, not shorter" in complaint
    assert json.loads(Path("here/config.json").read_text())["epochs"] == 3


def test_evaluate_repeats_the_figures_and_writes_nothing(labkit):
    _, trained, _ = labkit("train", "cam", "--run", "here", "--lr", "0.01")
    before = {path: path.stat().st_mtime_ns for path in Path("here").iterdir()}
    code, evaluated, _ = labkit("evaluate", "here")
    assert code == 0
    assert "test accuracy" in evaluated
    assert trained.endswith(evaluated)
    assert {path: path.stat().st_mtime_ns for path in Path("here").iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--epochs 0", "epochs is 0, expected a whole number of at least 1"),
        ("--lr -1", "the learning rate is -1.0"),
        ("--lr nan", "the learning rate is nan"),
        ("--batch-size 0", "batch size is 0"),
        ("--seed -1", "seed is -1"),
        ("--size 4", "size is 4, expected at least 16 pixels"),
        ("--folds 1", "folds is 1, expected 0 for none, or at least 2"),
        ("--folds -2", "folds is -2"),
        ("--folds 61", "expected at least 61"),
        ("--preset fast", "no preset 'fast', expected one of grade, laptop, paper"),
        ("--data nowhere", "nowhere: no such folder"),
        ("--resume", "--resume without --run"),
        ("--run nowhere --resume", "nowhere is no run"),
    ],
)
def test_what_cannot_be_used_ends_in_one_sentence(labkit, arguments, sentence):
    code, out, complaint = labkit("train", "cam", *arguments.split())
    assert (code, out) == (2, "")
    assert complaint.startswith("labkit: ") and complaint.count("\n") == 1
    assert sentence in complaint
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("train seg --run here --resume", "started with network cam, not seg"),
        ("train cam --run here", "here exists already and is not overwritten"),
        ("train cam --run here --resume --lr 0.5", "started with lr 0.001, not 0.5"),
        ("train cam --run here --resume --size 64", "started with size 32, not 64"),
        ("evaluate here --data nowhere", "nowhere: no such folder"),
        ("evaluate elsewhere", "elsewhere is no run"),
    ],
)
def test_a_run_is_left_alone(labkit, arguments, sentence):
    labkit("train", "cam", "--run", "here")
    before = {path: path.read_bytes() for path in Path("here").iterdir()}
    code, _, complaint = labkit(*arguments.split())
    assert (code, complaint.count("\n")) == (2, 1)
    assert sentence in complaint
    assert {path: path.read_bytes() for path in Path("here").iterdir()} == before


@pytest.mark.parametrize("loss", ["handout", "normalized", "ssenet", "none"])
@pytest.mark.parametrize("transform", ["scale", "vflip+hflip", "rotate20"])
def test_seg_trains_on_copies(labkit, transform, loss):
    code, _, complaint = labkit("train", "seg", "--transform", transform, "--loss", loss)
    assert (code, complaint) == (0, "")
    run = Path("runs/seg-001")
    assert {path.name for path in run.iterdir()} == FILES
    config = json.loads((run / "config.json").read_text())
    assert (config["network"], config["transform"], config["loss"]) == ("seg", transform, loss)
    assert labkit("evaluate", run)[0] == 0


def test_seg_s_objective_is_the_one_that_was_asked_for(labkit, monkeypatch):
    asked = []
    fit = cam_run.training.fit
    for module in (cam_run.training, classifiers):  # the folds are trained by the latter
        monkeypatch.setattr(
            module, "fit", lambda *a, **k: asked.append(k["objective"]) or fit(*a, **k)
        )
    labkit("train", "seg", "--transform", "hflip+rot90", "--loss", "ssenet", "--folds", "2")
    labkit("train", "seg")
    labkit("train", "cam")
    composed = SegObjective(Compose([HFlip(), Rot90()]), "ssenet")
    assert asked == [composed] * 3 + [SegObjective(Scale(0.5), "handout"), classification]


def test_a_stopped_seg_goes_on(labkit, monkeypatch):
    monkeypatch.setattr(Blobs, "stop_at", 100)
    code, out, _ = labkit("train", "seg", "--transform", "hflip", "--epochs", "3", "--run", "here")
    assert code == 130
    assert "to go on: labkit train seg --run here --resume" in out
    monkeypatch.setattr(Blobs, "stop_at", None)
    code, _, complaint = labkit("train", "seg", "--run", "here", "--resume", "--loss", "ssenet")
    assert code == 2 and "started with loss handout, not ssenet" in complaint
    assert labkit("train", "seg", "--run", "here", "--resume")[0] == 0
    assert len(pd.read_csv("here/history.csv")) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("train seg --transform flip", "no transform 'flip', expected scale, hflip"),
        ("train seg --transform rotate45 --size 16", "leaves no position of maps 2x2 in view"),
        ("train cam --transform hflip", "--transform is for seg, not for cam: leave it out"),
        ("train cam --loss ssenet", "--loss is for seg, not for cam: leave it out"),
    ],
)
def test_transforms_that_cannot_be_used(labkit, arguments, sentence):
    code, out, complaint = labkit(*arguments.split())
    assert (code, out) == (2, "")
    assert complaint.count("\n") == 1 and sentence in complaint
    assert not list(Path().iterdir())


def test_a_run_of_other_classes_is_refused(labkit, monkeypatch):
    labkit("train", "cam", "--run", "here")
    monkeypatch.setattr(Blobs, "classes", ("plane", "car"))
    code, _, complaint = labkit("evaluate", "here")
    assert code == 2
    assert "here knows 3 classes and the data set has 2" in complaint


def test_a_run_whose_settings_were_damaged_is_refused(labkit):
    Path("here").mkdir()
    Path("here/config.json").write_text('{"epochs": 3}')
    code, _, complaint = labkit("train", "cam", "--run", "here", "--resume")
    assert code == 2
    assert "does not hold the settings of such a training" in complaint


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("epochs", "3", "epochs is '3'"),
        ("epochs", True, "epochs is True"),
        ("lr", 10**400, "lr is 1000"),
        ("data", 5, "data is 5"),
        ("test_images", None, "test_images is None"),
        ("seed", 2**64, "seed is 18446744073709551616, expected a whole number below"),
        ("size", 3, "config.json: size is 3, expected at least 16"),
        ("network", ["cam"], "holds a training of ['cam'], expected one of"),
    ],
)
def test_a_run_with_a_setting_that_cannot_be_is_refused(labkit, name, value, sentence):
    labkit("train", "cam", "--run", "here")
    config = json.loads(Path("here/config.json").read_text())
    Path("here/config.json").write_text(json.dumps({**config, name: value}))
    before = {path: path.read_bytes() for path in Path("here").iterdir()}
    for arguments in (("evaluate", "here"), ("train", "cam", "--run", "here", "--resume")):
        code, _, complaint = labkit(*arguments)
        assert code == 2
        assert complaint.count("\n") == 1 and "here" in complaint and sentence in complaint
    assert {path: path.read_bytes() for path in Path("here").iterdir()} == before


@pytest.mark.parametrize("weights", [{}, {"a": torch.ones(2)}, torch.ones(2)])
def test_a_run_whose_weights_are_others_is_refused(labkit, weights):
    labkit("train", "cam", "--run", "here")
    torch.save(weights, "here/best.pt")
    code, _, complaint = labkit("evaluate", "here")
    assert code == 2
    assert complaint.count("\n") == 1 and "here/best.pt" in complaint


def test_help_loads_nothing_heavy():
    code = (
        "import sys, labkit.cli; "
        "sys.exit(bool({'torch', 'numpy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_trains_on_the_built_in_data(labkit, monkeypatch):
    monkeypatch.setattr(cam_run, "CamSeg", CamSeg)
    code, out, complaint = labkit("train", "cam", "--run", "here")
    assert (code, complaint) == (0, "")
    assert {path.name for path in Path("here").iterdir()} == FILES
    assert "mean of 32 test images" in out
