"""Experiments: what is trained and measured, and the figures that stand beside the published."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands.blobs import Blobs

from labkit.experiments import seg
from labkit.experiments.seg import (
    ARMS,
    CLASSES,
    PUBLISHED_IOU,
    SIZES,
    TRAININGS,
    Watch,
    mean_and_spread,
    seg_shrinking,
    seg_tables,
    source_ious,
    untrained,
    with_own_statistics,
)
from labkit.localization import class_maps, iou_table, seg_maps
from labkit.models import CamNet
from labkit.training import build, evaluate

SMALL = SIZES["grade"]


@pytest.fixture(autouse=True)
def _blobs(monkeypatch):
    monkeypatch.setattr(seg, "CamSeg", Blobs)


@pytest.fixture
def net() -> CamNet:
    model = build(lambda: CamNet(3), 0)
    model.train()(torch.randn(8, 3, 32, 32))  # batch statistics of its own
    return model


def test_the_published_figures():
    """Means and extremes of document 000's table 5, added up by hand from its text."""
    assert all(len(row) == len(CLASSES) for row in PUBLISHED_IOU.values())
    means = {key: round(sum(row) / 10, 4) for key, row in PUBLISHED_IOU.items()}
    assert means["CAM", 75] == 0.1917
    assert means["SEG", 75] == 0.0955
    assert means["SEG vflip", 125] == 0.0461
    assert means["SEG vflip+hflip", 125] == 0.0502
    assert dict(zip(CLASSES, PUBLISHED_IOU["SEG", 75], strict=True))["truck"] == 0.327
    assert set(dict.fromkeys(mode for mode, _ in PUBLISHED_IOU)) <= set(TRAININGS)


class TestWatch:
    def test_every_figure_from_its_own_source(self, net):
        test, chosen = Blobs("builtin", "test", 32), [5, 0, 3, 8]
        learnt = [Blobs(size=32)[i] for i in range(12)]
        before = copy.deepcopy(net.state_dict())
        figures = Watch(test, chosen, learnt)(net)
        assert net.training
        assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())

        items = [test[i] for i in chosen]
        images, labels = torch.stack([i for i, _ in items]), torch.tensor([y for _, y in items])
        masks = [test.mask(i) for i in chosen]
        assert figures["test_accuracy"] == pytest.approx(evaluate(net, items).accuracy)
        for kind, maps in (
            ("class", class_maps(net, images, labels, (24, 24))),
            ("handout", seg_maps(net, images, (24, 24))),
        ):
            means = iou_table(list(maps), masks).mean()
            assert figures[f"{kind}_iou"] == pytest.approx(means[125])
            assert figures[f"{kind}_best"] == pytest.approx(means.max())
        own = with_own_statistics(net, torch.stack([i for i, _ in learnt]))
        assert figures["own_accuracy"] == pytest.approx(evaluate(own, items).accuracy)
        with torch.no_grad():
            output = net.eval()(images)
            weights = output.pooled.double().softmax(1)
            maps = (weights[:, :, None, None] * output.features.double()).sum(1)
        assert figures["map_size"] == pytest.approx(float(maps.square().mean().sqrt()))
        assert figures["relative"] == pytest.approx(figures["seg"] / figures["map_size"] ** 2)

    def test_without_masks_the_sources_are_measured(self, net, monkeypatch):
        monkeypatch.setattr(Blobs, "mask", lambda self, i: None)
        monkeypatch.setattr(
            Blobs,
            "sources",
            lambda self: {"car": (self.picture(1), np.ones((24, 24), dtype=bool))},
        )
        test = Blobs("builtin", "test", 32)
        watch = Watch(test, [0, 1, 2], [test[0], test[1]])
        assert watch.masked.shape == (1, 3, 32, 32)
        assert watch.of_masked.tolist() == [1]
        assert watch(net)["test_accuracy"] == pytest.approx(
            evaluate(net, [test[i] for i in range(3)]).accuracy
        )


def test_own_statistics_are_those_of_the_images(net):
    images = 3 + torch.randn(7, 3, 32, 32)
    own = with_own_statistics(net, images)
    assert not own.training and net.training
    with torch.no_grad():
        first = net.backbone.conv1(images)
    torch.testing.assert_close(own.backbone.bn1.running_mean, first.mean((0, 2, 3)))
    torch.testing.assert_close(own.backbone.bn1.running_var, first.var((0, 2, 3)))
    assert not torch.allclose(net.backbone.bn1.running_mean, own.backbone.bn1.running_mean)


def test_the_same_images_for_every_seed_and_none_twice():
    assert seg.draw(50, 20) == seg.draw(50, 20)
    assert sorted(seg.draw(9, 20)) == list(range(9))


class TestShrinking:
    def test_every_arm_and_seed_is_trained_and_watched(self, tmp_path):
        figures = seg_shrinking("builtin", SMALL, tmp_path, [0, 1])
        assert set(zip(figures["arm"], figures["seed"], strict=True)) == {
            (arm, seed) for arm in ARMS for seed in (0, 1)
        }
        assert figures[["map_size", "class_iou", "own_accuracy"]].notna().all(axis=None)
        losses = figures[figures["seed"] == 0].set_index("arm")["train_loss"]
        assert losses.nunique() == len(ARMS), "two arms minimise the same"

    def test_it_goes_on_where_it_was_stopped(self, tmp_path, monkeypatch):
        seg_shrinking("builtin", SMALL, tmp_path, [0])
        first = tmp_path / "cam-seed0" / "history.csv"
        before = first.stat().st_mtime_ns, first.read_text()
        again = seg_shrinking("builtin", SMALL, tmp_path, [0, 1])
        assert (first.stat().st_mtime_ns, first.read_text()) == before
        assert again["seed"].tolist() == [0] * len(ARMS) + [1] * len(ARMS)

    def test_a_network_that_has_learnt_nothing(self):
        rows = untrained("builtin", SMALL, [3, 4])
        assert rows["seed"].tolist() == [3, 4]
        assert rows["handout_iou"].between(0, 1).all()

    def test_mean_and_spread_by_hand(self):
        figures = pd.DataFrame(
            {
                "arm": ["b", "b", "b", "a", "a"],
                "seed": [0, 0, 1, 0, 1],
                "epoch": [1, 2, 2, 2, 2],
                "x": [9.0, 1.0, 2.0, 0.5, 0.5],
            }
        )
        table = mean_and_spread(figures, ["x"], epochs=1)
        assert table["x"].to_dict() == {"b": "1.500 ± 0.707", "a": "0.500 ± 0.000"}
        table = mean_and_spread(figures, ["x"], epochs=2)  # the first b: mean of 9 and 1
        assert table["x"].to_dict() == {"b": "3.500 ± 2.121", "a": "0.500 ± 0.000"}


class TestTables:
    def test_our_figures_beside_the_published(self, tmp_path):
        tables = seg_tables("builtin", SMALL, tmp_path)
        assert list(tables) == ["accuracy", "handout map", "class map"]
        assert tables["accuracy"]["000"].tolist() == [0.692, 0.718, 0.760, 0.789]
        assert tables["accuracy"]["here"].between(0, 1).all()
        for kind in ("handout map", "class map"):
            table = tables[kind]
            assert table.index.tolist() == ["plane", "car", "bird", "mean"]
            assert table.loc["car", "CAM 75, 000"] == 0.162
            assert table.loc["mean", "SEG 75, 000"] == pytest.approx(0.0955)
            assert table.loc["mean", "SEG 75, here"] == pytest.approx(
                table["SEG 75, here"].iloc[:-1].mean()
            )
        assert {path.name for path in tmp_path.iterdir()} == {
            *("CAM-64-0.0001", "CAM-16-0.0001", "CAM"),
            *("SEG", "SEG-vflip", "SEG-vflip+hflip"),
        }

    def test_other_classes_have_no_published_figures(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Blobs, "classes", ("disc", "car", "star"))
        table = seg_tables("builtin", SMALL, tmp_path)["class map"]
        assert np.isnan(table.loc["disc", "CAM 75, 000"])
        assert table.loc["car", "CAM 75, 000"] == 0.162

    def test_ious_of_the_sources(self, net):
        test = Blobs("builtin", "test", 32)
        tables = source_ious(net, test, (75, 125))
        images = torch.stack([test.prepare(picture) for picture, _ in test.sources().values()])
        masks = [mask for _, mask in test.sources().values()]
        expected = iou_table(list(seg_maps(net, images, (24, 24))), masks, (75, 125))
        np.testing.assert_allclose(tables["handout map"], expected, atol=1e-6)
        assert tables["class map"].index.tolist() == list(Blobs.classes)
        assert not np.allclose(tables["class map"], expected)


def test_the_command(tmp_path, monkeypatch, capsys):
    from labkit import cli

    monkeypatch.chdir(tmp_path)
    for words, sentence in (
        (
            "seg-shrinking --preset grade --seeds 2 --epochs 2 --size 24",
            "mean ± standard deviation of 2 seeds",
        ),
        ("seg-tables --preset grade", "tables 1 and 2: test accuracy"),
    ):
        monkeypatch.setattr("sys.argv", ["labkit", "experiment", *words.split()])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, complaint = capsys.readouterr()
        assert (stopped.value.code or 0, complaint) == (0, "")
        assert sentence in out
    names = {path.name for path in Path("runs/seg-shrinking").glob("*.*")}
    assert {"epochs.csv", "untrained.csv", "epochs.png"} <= names
    assert {path.name for path in Path("runs/seg-tables").glob("*.csv")} == {
        *("accuracy.csv", "handout-map.csv", "class-map.csv"),
    }
    assert len(pd.read_csv("runs/seg-shrinking/epochs.csv")) == 2 * 2 * len(ARMS)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("seg-tables --preset fast", "no preset 'fast', expected grade, laptop, paper"),
        ("seg-shrinking --seeds 1", "seeds is 1, expected at least 2"),
        ("seg-tables --data nowhere --preset grade", "no such folder"),
    ],
)
def test_what_cannot_be_used(tmp_path, monkeypatch, capsys, words, sentence):
    from labkit import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["labkit", "experiment", *words.split()])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    out, complaint = capsys.readouterr()
    assert (stopped.value.code, out) == (2, "")
    assert sentence in complaint and not list(tmp_path.iterdir())
