"""`labkit explain --images`: any pictures, explained by a network of one's choice."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from labkit import plots
from labkit.commands import cam_run, explain_pictures
from labkit.data import imagenet_labels, load_picture
from labkit.maps import enlarge, explain
from labkit.models.imagenet import ImageNetNet

SIZES = {"wide": (30, 52), "high": (41, 25), "again": (30, 52)}


def little_net(name: str) -> ImageNetNet:
    torch.manual_seed(0)
    backbone = nn.Sequential(
        nn.Conv2d(3, 8, 5, 4, 2), nn.ReLU(), nn.Conv2d(8, 6, 3, 2, 1), nn.ReLU()
    )
    mean, std, stages = (0.5,) * 3, (0.25,) * 3, ("backbone.1", "backbone.3")
    return ImageNetNet(name, backbone, nn.Linear(6, 1000), mean, std, stages).eval()


@pytest.fixture
def pictures(monkeypatch) -> list[Path]:
    monkeypatch.setattr(explain_pictures, "imagenet_net", little_net)
    random = np.random.default_rng(0)
    paths = [Path(f"{name}.png") for name in SIZES]
    for path, size in zip(paths, SIZES.values(), strict=True):
        cv2.imwrite(str(path), random.integers(0, 256, (*size, 3)).astype(np.uint8))
    return paths


def expected(path: Path, method: str, layers: tuple[str, ...] = (), target=None) -> np.ndarray:
    net, picture = little_net("resnet18"), load_picture(path)
    maps = explain(net, net.prepare(picture), method, layers, target)
    return plots.overlay(picture, enlarge(maps, picture.shape[:2])[0])


def written(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("method", ["cam", "grad_cam", "grad_cam_plus_plus", "layer_cam"])
def test_each_picture_gets_its_map(labkit, pictures, method):
    arguments = ("--model", "resnet18", "--method", method, "--out", "here")
    code, out, _ = labkit("explain", *arguments, "--images", *pictures)
    assert code == 0 and "4 pictures are in here" in out
    assert {path.name for path in Path("here").iterdir()} == {*map(str, pictures), "maps.png"}
    for path in pictures:
        difference = np.abs(written("here" / path).astype(int) - expected(path, method))
        assert difference.max() <= 1  # maps of a batch differ from those of one by rounding
    net = little_net("resnet18")
    for path in pictures:
        best = net(net.prepare(load_picture(path))).scores.argmax()
        assert imagenet_labels()[best] in out


@pytest.mark.parametrize("target", ["tabby", "281"])
def test_class_and_layers_of_one_s_choice(labkit, pictures, target):
    code, out, _ = labkit(
        *["explain", "--model", "efficientnet_lite0", "--target"],
        target,
        *["--layers", "backbone.1", "3", "--images", "wide.png"],
    )
    assert code == 0 and "tabby" in out
    wanted = expected(pictures[0], "layer_cam", ("backbone.1", "backbone.3"), 281)
    assert np.abs(written(Path("explained/wide.png")).astype(int) - wanted).max() <= 1


def test_many_pictures_go_through_in_batches(labkit, pictures, monkeypatch):
    monkeypatch.setattr(explain_pictures, "BATCH", 2)
    monkeypatch.setattr(explain_pictures, "SHOWN", 3)
    for i in range(5):
        Path(f"copy{i}.png").write_bytes(pictures[0].read_bytes())
    copies = sorted(Path().glob("copy*.png"))
    assert labkit("explain", "--model", "resnet18", "--images", *pictures, *copies)[0] == 0
    for copy in copies:
        same = written("explained" / copy), written("explained" / pictures[0])
        assert np.abs(same[0].astype(int) - same[1]).max() <= 1


def test_a_run_explains_any_picture(labkit, pictures):
    assert labkit("train", "cam", "--run", "run")[0] == 0
    code, out, _ = labkit("explain", "--model", "run", "--images", "high.png", "--method", "cam")
    assert code == 0 and any(name in out for name in ("plane", "car", "bird"))
    _, model, test = cam_run.load(Path("run"), None)
    picture = load_picture("high.png")
    maps = explain(model, test.prepare(picture)[None], "cam")
    wanted = plots.overlay(picture, enlarge(maps, (41, 25))[0])
    assert np.abs(written(Path("explained/high.png")).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "expected either RUN"),
        ("--model resnet18 --images wide.png run", "there is no file run"),
        ("--images wide.png", "--images needs --model"),
        ("--model resnet18", "expected either RUN"),
        ("run --method cam", "--method goes with --images only"),
        ("--model resnet18 --threshold 3 --images wide.png", "--threshold goes with RUN only"),
        ("--model vgg --images wide.png", "--model is vgg, expected one of resnet18"),
        ("--model head --images wide.png", "head is a run of recam, expected one of cam or seg"),
        ("--model resnet18 --images none.png", "there is no file none.png"),
        ("--model resnet18 --images notes.txt", "notes.txt is no picture"),
        ("--model resnet18 --images wide.png sub/wide.png", "wide.png would be written twice"),
        ("--model resnet18 --images maps.png", "maps.png would be written twice"),
        ("--model resnet18 --method lime --images wide.png", "--method is lime, expected one of"),
        ("--model resnet18 --target tabbi --images wide.png", "(tabby"),
        ("--model resnet18 --target 1000 --images wide.png", "or its number, 0 to 999"),
        ("--model resnet18 --layers layer9 --images wide.png", "the model has no layer 'layer9'"),
    ],
)
def test_what_cannot_be_used_ends_in_one_sentence(labkit, pictures, arguments, sentence):
    Path("notes.txt").write_text("no picture")
    Path("head").mkdir()
    Path("head/config.json").write_text(json.dumps({"network": "recam"}))
    code, out, complaint = labkit("explain", *arguments.split())
    assert (code, out) == (2, "")
    assert complaint.startswith("labkit: ") and sentence in complaint
    assert not Path("explained").exists()
