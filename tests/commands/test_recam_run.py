"""`labkit train vgg-cam|recam`, evaluation of every epoch, data folders, document 001's table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from flower_folder import write_set
from PIL import Image

from labkit.commands import recam_run
from labkit.data import Flowers17
from labkit.runs import load_checkpoint
from labkit.training import heads

FILES = {
    *("best.pt", "config.json", "curves.png", "epochs", "extractor.pt", "history.csv"),
    *("last.pt", "maps.png", "maps_compact.png", "maps_strip.png", "test.json"),
}


def test_a_run_its_files_and_the_evaluation_of_every_epoch(labkit):
    code, out, _ = labkit("train", "recam")
    assert code == 0 and "run folder: runs/recam-001" in out and "of 34 test images" in out
    run = Path("runs/recam-001")
    assert {path.name for path in run.iterdir()} == FILES
    config = json.loads((run / "config.json").read_text())
    assert (config["head"], config["normalization"], config["extractor"]) == (
        "recam",
        "relu",
        "drawn",
    )
    # Only the head is saved in an epoch: 32 -> 17 maps, and two classifiers.
    state = load_checkpoint(run / "epochs" / "epoch_01.pt")
    assert sum(v.numel() for v in state.values()) == 32 * 17 + 17 + 2 * 17 * 17
    assert not any("features" in name for name in state)

    (run / "epochs" / "epoch_old.pt").write_text("somebody's copy, which is no epoch")
    code, out, _ = labkit("evaluate", run)
    figures = json.loads((run / "evaluation.json").read_text())
    history = pd.read_csv(run / "history.csv")
    assert list(figures) == ["epoch_1", "epoch_2"]
    for row in history.itertuples():
        counts = figures[f"epoch_{row.epoch}"]
        assert counts["images"] == 34
        for k in (1, 3, 5):
            assert counts[f"top{k}"] == round(34 * getattr(row, f"validation_top{k}"))

    sizes = {name: Image.open(run / f"{name}.png").size for name in ("maps_compact", "maps_strip")}
    assert sizes == {"maps_compact": (4 * 36 - 4, 3 * 36 - 4), "maps_strip": (32, 12 * 36 - 4)}


def test_the_maps_of_a_run_are_drawn_anew(labkit):
    assert labkit("train", "recam", "--run", "a", "--epochs", "1")[0] == 0
    before = Path("a/maps.png").read_bytes()
    code, out, _ = labkit("explain", "a", "--normalization", "sigmoid")
    assert code == 0 and "3 pictures are in a/explain-sigmoid" in out
    names = sorted(path.name for path in Path("a/explain-sigmoid").iterdir())
    assert names == ["maps.png", "maps_compact.png", "maps_strip.png"]
    assert Path("a/explain-sigmoid/maps.png").read_bytes() != before
    assert labkit("explain", "a", "--out", "again")[0] == 0
    same = [np.asarray(Image.open(f"{folder}/maps_strip.png")) for folder in ("a", "again")]
    np.testing.assert_array_equal(*same)


def test_the_variant_and_a_run_that_goes_on(labkit):
    options = ("--variant", "naive", "--normalization", "sigmoid", "--no-augment", "--run", "a")
    assert labkit("train", "recam", *options, "--epochs", "1")[0] == 0
    assert labkit("train", "recam", "--run", "a", "--resume", "--epochs", "3")[0] == 0
    assert labkit("train", "recam", *options[:-1], "b", "--epochs", "3")[0] == 0
    one, other = (pd.read_csv(Path(run) / "history.csv").drop(columns="seconds") for run in "ab")
    pd.testing.assert_frame_equal(one, other)
    for epoch in (1, 2, 3):
        states = [load_checkpoint(Path(r) / "epochs" / f"epoch_0{epoch}.pt") for r in "ab"]
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    settings, _, head = recam_run.load(Path("a"))
    assert isinstance(head, heads.NaiveReCamHead) and head.how == "sigmoid"
    assert not settings.augment
    code, _, complaint = labkit("train", "recam", "--run", "a", "--resume", "--variant", "paper")
    assert code == 2 and "started with head naive, not recam" in complaint


def test_the_rule_to_stop_is_said(labkit, monkeypatch):
    monkeypatch.setattr(heads, "overfits", lambda row: row["epoch"] == 3)
    code, out, _ = labkit("train", "vgg-cam", "--epochs", "5")
    assert code == 0 and "ended before epoch 3: the validation loss passed twice" in out
    assert len(list(Path("runs/vgg-cam-001/epochs").iterdir())) == 2


def test_an_augmented_folder_is_trained_on(labkit):
    write_set(Path("flowers"))
    assert labkit("data", "augmented-flowers", "--data", "flowers", "--to", "ten")[0] == 0
    assert len(Flowers17("ten", "train")) == 340 and len(Flowers17("ten", "test")) == 17
    code, out, _ = labkit("train", "vgg-cam", "--data", "ten", "--no-augment", "--seed", "3")
    assert code == 0 and "of 17 test images" in out
    code, _, complaint = labkit("data", "augmented-flowers", "--data", "nowhere", "--to", "more")
    assert code == 2 and "nowhere" in complaint and not Path("more").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "vgg-cam", "--variant", "naive"), "--variant is for recam, not for"),
        (("train", "vgg-cam", "--folds", "3"), "folds is for cam and seg, not for vgg-cam"),
        (("train", "recam", "--weights", "zeros"), "zeros is for fcn32s and fcn8s, not for recam"),
        (("train", "recam", "--size", "16"), "size is 16, expected at least 32 pixels"),
        (("train", "recam", "--width", "0"), "width is 0, expected a share"),
        (("train", "recam", "--weights", "efficientnet", "--width", "0.5"), "--width is for"),
        (("experiment", "recam-table", "--seeds", "-1"), "seeds is -1, expected"),
        (("experiment", "recam-table", "--data", "nowhere"), "/nowhere: check root"),
        (("train", "recam", "--preset", "paper"), "wants an extractor with ImageNet weights"),
        (("train", "cam", "--variant", "paper"), "variant is for recam, not for cam"),
        (("train", "fcn8s", "--no-augment"), "augment is for vgg-cam and recam"),
        (("train", "cam", "--weights", "efficientnet"), "is for vgg-cam and recam"),
        (("evaluate", "runs"), "is no run"),
    ],
)
def test_refused_before_anything_is_written(labkit, arguments, message):
    code, _, complaint = labkit(*arguments)
    assert code == 2 and message in complaint
    assert not Path("runs").exists()


def test_the_built_in_flowers_as_a_folder(labkit):
    assert labkit("data", "drawn-flowers", "--to", "drawn")[0] == 0
    assert len(Flowers17("drawn", "test")) == 340


def test_the_table_of_document_001(labkit):
    write_set(Path("flowers"))
    command = ["experiment", "recam-table", "--data", "flowers", "--out", "table"]
    command += ["--preset", "grade", "--epochs"]
    code, out, _ = labkit(*command, "1")
    assert code == 0 and "0.9294" in out and "document 001, table 2" in out
    rows = pd.read_csv("table/table.csv")
    assert len(rows) == 20 and set(rows["network"]) == {"cam", "naive", "recam"}
    assert rows["class_iou"].isna().all() and (rows["epoch"] == 1).all()
    hits = rows["top1"] * 17
    np.testing.assert_allclose(hits, hits.round(), atol=1e-9)
    code, _, complaint = labkit(*command, "2")
    assert code == 2 and "table holds trainings with epochs 1, not 2" in complaint
