import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from labkit import presets
from labkit.cli import app
from labkit.data import CamSeg
from labkit.experiments.layercam import (
    METHODS,
    by_stage,
    combinations,
    layercam_table,
    maps_of,
    mean_and_spread,
    measure,
    overlaps,
    own_object,
)
from labkit.maps import explain
from labkit.metrics import iou
from labkit.models import StageNet
from labkit.training import build

GRADE = presets.preset("lab5_layercam", "grade")


@pytest.fixture(scope="module")
def net() -> StageNet:
    return build(StageNet, 0)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(3, 3, 24, 16, generator=torch.Generator().manual_seed(0))


def test_maps_are_those_that_the_library_explains_with(net, images):
    classes = torch.tensor([1, 7, 2])
    found = maps_of(net, images, classes)
    assert {m: list(s) for m, s in found.items()} == {
        "CAM": ["stage4"],
        **{method: list(StageNet.stages) for method in METHODS},
    }
    for method, name in (("Grad-CAM++", "grad_cam_plus_plus"), ("LayerCAM", "layer_cam")):
        for stage, maps in found[method].items():
            expected = explain(net, images, name, [stage], classes)
            ours = combinations({stage: maps}, (24, 16))[stage]
            ours = ours / ours.amax((1, 2), keepdim=True)
            expected = expected / expected.amax((1, 2), keepdim=True)
            torch.testing.assert_close(ours, expected)
    # On mean and linear layer, Grad-CAM is the class activation map cut at 0, over h w.
    torch.testing.assert_close(found["Grad-CAM"]["stage4"] * 6, found["CAM"]["stage4"])


def test_overlaps_are_the_iou_of_every_cut():
    generator = torch.Generator().manual_seed(1)
    maps = torch.rand(4, 9, 7, generator=generator) * torch.tensor([1, 2, 0.1, 5]).view(4, 1, 1)
    masks = torch.rand(4, 9, 7, generator=generator) < 0.3
    found = overlaps(maps, masks, (0.2, 0.6))
    for row, share in zip(found, (0.2, 0.6), strict=True):
        for value, map, mask in zip(row, maps, masks, strict=True):
            assert value.item() == pytest.approx(iou(map > share * map.max(), mask))
    assert overlaps(torch.zeros(1, 9, 7), masks[:1], (0.5,)).item() == 0


def test_fusions_by_hand():
    raw = {f"stage{i}": torch.full((1, 2, 2), float(i)) for i in (1, 2, 3, 4)}
    raw["stage3"][0, 0, 0] = 0.75
    maps = combinations(raw, (2, 2))
    assert list(maps) == [*raw, "highest", "highest, tanh", "weighted"]
    assert maps["highest"].tolist() == [[[1, 1], [1, 1]]]
    assert maps["weighted"][0, 0, 0].item() == pytest.approx(0.4 + 0.4 * 0.25 + 0.2)
    assert maps["weighted"][0, 1, 1].item() == pytest.approx(1.0)


class TestOwnObject:
    """Networks whose maps are known: a channel for each of two classes."""

    @staticmethod
    def answer(weight: torch.Tensor) -> dict:
        """Two colours in two halves; the classifier's weights decide what each class sees."""
        net = StageNet(2)
        for name in net.stages:
            setattr(net, name, torch.nn.Identity())
        net.classifier = torch.nn.Linear(3, 2, bias=False)
        net.classifier.weight.data.copy_(weight)
        images = torch.zeros(2, 3, 4, 4)
        images[0, 0, 1:3, 1:3] = 1.0
        images[1, 1, 1:3, 1:3] = 1.0
        return own_object(net, images, torch.tensor([0, 1]), images.sum(1) > 0)

    def test_each_class_sees_its_own(self):
        found = self.answer(torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
        assert found[("LayerCAM", "stage4")] == pytest.approx(1.0)
        assert found[("CAM", "stage4")] == pytest.approx(1.0)

    def test_each_class_sees_both(self):
        found = self.answer(torch.tensor([[1.0, 1, 0], [1, 1, 0]]))
        assert list(found.values()) == pytest.approx([0.5] * len(found))

    def test_each_class_sees_the_other(self):
        found = self.answer(torch.tensor([[1.0, 3, 0], [3, 1, 0]]))
        assert found[("Grad-CAM", "stage4")] == pytest.approx(0.25)


def test_a_row_a_method_and_map(net):
    table = measure(net, CamSeg("builtin", "test", 32, count=20))
    assert len(table) == 1 + 3 * 7 + 2
    assert not table[["method", "map"]].duplicated().any()
    assert table[["iou", "small", "middle", "large"]].stack().between(0, 1).all()
    stages = table["map"].str.startswith("stage")
    assert table["own_object"].notna().equals(stages)
    same = table.set_index(["method", "map"])["iou"]
    assert same["CAM", "stage4"] == pytest.approx(same["Grad-CAM", "stage4"])


def test_means_and_spreads():
    table = pd.DataFrame({"method": ["a", "b", "a", "b"], "map": "x", "iou": [0.1, 0.5, 0.3, 0.5]})
    assert mean_and_spread(table, ["iou"])["iou"].tolist() == ["0.200 ± 0.141", "0.500 ± 0.000"]


def test_single_stages_can_be_drawn():
    maps = ["stage1", "stage4", "weighted", "stage4", "disc"]
    table = pd.DataFrame({"method": ["LayerCAM"] * 3 + ["CAM", "none"], "map": maps, "iou": 0.5})
    rows = by_stage(table)
    assert rows[["arm", "stage", "iou"]].values.tolist() == [
        ["LayerCAM", 1, 0.5],
        ["LayerCAM", 4, 0.5],
    ]


def test_the_table_goes_on_where_it_was(tmp_path):
    first = layercam_table(GRADE, tmp_path, (0, 1), progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed0", "seed1", "table.csv"]
    again = layercam_table(GRADE, tmp_path, (0, 1), progress=False)
    pd.testing.assert_frame_equal(first, again)
    assert first.groupby("seed").size().tolist() == [24, 24]


def test_the_command_shows_four_tables(tmp_path):
    out = ["--preset", "grade", "--seeds", "2", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["experiment", "layercam-table", *out])
    assert done.exit_code == 0, done.output
    assert done.output.count("Grad-CAM++") == 4 * 7
    assert "learnt nothing" in done.output
    assert {"table.csv", "untrained.csv", "stages.png"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_the_command_refuses_before_it_trains(tmp_path):
    for options, words in (
        (["--data", "elsewhere"], "expected builtin"),
        (["--seeds", "1"], "expected at least 2"),
    ):
        out = ["--preset", "grade", "--out", str(tmp_path / "run")]
        done = CliRunner().invoke(app, ["experiment", "layercam-table", *options, *out])
        assert done.exit_code != 0
        assert words in str(done.exception) + done.output
        assert not (tmp_path / "run").exists()
