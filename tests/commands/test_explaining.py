"""`labkit explain` and `labkit iou` on trained runs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from commands.blobs import Blobs

from labkit.commands import cam_run
from labkit.localization import class_maps, seg_maps
from labkit.metrics import iou


@pytest.fixture
def run(labkit) -> Path:
    assert labkit("train", "seg", "--run", "here", "--transform", "hflip")[0] == 0
    return Path("here")


def expected_maps(run: Path, kind: str) -> list[torch.Tensor]:
    _, model, test = cam_run.load(run, None)
    images = torch.stack([test.prepare(picture) for picture, _ in test.sources().values()])
    if kind == "class":
        return list(class_maps(model, images, torch.arange(3), (24, 24)))
    return list(seg_maps(model, images, (24, 24)))


@pytest.mark.parametrize("kind", ["class", "handout"])
def test_iou_is_that_of_the_cut_maps(labkit, run, kind):
    code, out, _ = labkit("iou", run, "--threshold", "60", "128", "200", "--maps", kind)
    assert code == 0
    assert f"IoU of the {kind} map" in " ".join(out.split())
    rows = {
        cells[1].strip(): [float(cell) for cell in cells[2:5]]
        for line in out.splitlines()
        if (cells := line.replace("┃", "│").split("│"))[0] == "" and len(cells) == 6 and "." in line
    }
    maps, masks = expected_maps(run, kind), [mask for _, mask in Blobs().sources().values()]
    for name, heat, mask in zip(Blobs.classes, maps, masks, strict=True):
        expected = [iou(heat > cut / 255, mask) for cut in (60, 128, 200)]
        np.testing.assert_allclose(rows[name], expected, atol=5e-4)
    np.testing.assert_allclose(
        rows["mean"], np.mean([rows[n] for n in Blobs.classes], 0), atol=1e-3
    )


def test_iou_of_several_runs_and_the_handout_s_thresholds(labkit, run):
    labkit("train", "cam", "--run", "other")
    code, out, _ = labkit("iou", "here", "other")
    assert code == 0
    assert "here (seg hflip handout)" in out and "other (cam)" in out
    for threshold in (75, 100, 125, 150, 175):
        assert out.count(f"{threshold} ") >= 2
    assert labkit("iou", "--threshold", "75", "here", "other")[0] == 0


@pytest.mark.parametrize("kind", ["class", "handout"])
def test_explain_draws_maps_and_masks(labkit, run, kind):
    before = {path.name for path in run.iterdir()}
    code, out, _ = labkit("explain", run, "--threshold", "100", "--maps", kind)
    assert (code, out.strip()) == (0, f"7 pictures are in here/explain-{kind}")
    assert {path.name for path in run.iterdir()} == before | {f"explain-{kind}"}
    folder = run / f"explain-{kind}"
    for name, heat in zip(Blobs.classes, expected_maps(run, kind), strict=True):
        mask = cv2.imread(str(folder / f"{name}_seg.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(mask, 255 * (heat > 100 / 255).numpy().astype(np.uint8))
        assert cv2.imread(str(folder / f"{name}.png")).shape == (24, 24, 3)
    assert (folder / "maps.png").stat().st_size > 1000


def test_explain_can_write_elsewhere_and_again(labkit, run):
    for _ in range(2):
        assert labkit("explain", run, "--out", "pictures")[0] == 0
    assert len(list(Path("pictures").iterdir())) == 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("iou here --threshold 75 300", "the threshold is 300, expected a number from 0 to 255"),
        ("explain here --threshold -1", "the threshold is -1"),
        ("iou nowhere", "nowhere is no run"),
        ("explain nowhere", "nowhere is no run"),
        ("explain here --data nowhere", "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_used_ends_in_one_sentence(labkit, run, arguments, sentence):
    code, out, complaint = labkit(*arguments.split())
    assert (code, out) == (2, "")
    assert complaint.startswith("labkit: ") and sentence in complaint
    assert not (run / "explain-class").exists()


def test_without_masks(labkit, run, monkeypatch):
    monkeypatch.setattr(Blobs, "masks", False)
    for command in ("iou", "explain"):
        code, _, complaint = labkit(command, run)
        assert code == 2 and "there is no test_seg" in complaint
