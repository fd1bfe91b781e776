"""Document 004's table: what counts as a difference, what is published, and the surfaces."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from labkit.data import Dagm
from labkit.errors import InputError
from labkit.experiments import defects
from labkit.models import DefectNet
from labkit.models.defect_net import FUSIONS
from labkit.presets import preset

TINY = replace(preset("lab7_defects", "grade"), size=16)


def figures(gain, of=("mul", "CAM")):
    """Two problems and five seeds; all maps have the same IoU, but one kind has a gain a seed."""
    return pd.DataFrame(
        [
            {
                "problem": problem,
                "fusion": fusion,
                "seed": seed,
                "map": name,
                "layer": "",
                "iou": 0.3
                + 0.01 * seed
                + 0.1 * problem
                + (gain[seed] if (fusion, name) == of else 0),
                "best_iou": 0.5,
            }
            for problem in (1, 2)
            for seed in range(5)
            for fusion in FUSIONS
            for name in ("CAM", "F-CAM", "SegNet")
        ]
    )


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        ([0.06, 0.05, 0.04, 0.06, -0.01], "helps"),  # 0.04 on average, four of five
        ([-0.06, -0.05, -0.04, -0.06, 0.01], "harms"),
        ([0.2, 0.2, 0.2, -0.01, -0.01], "no difference"),  # large, but three of five agree
        ([0.02, 0.03, 0.02, 0.03, 0.02], "no difference"),  # all agree, but small
        ([0, 0, 0, 0, 0], "no difference"),
    ],
)
def test_what_counts(gain, verdict):
    table = defects.proposals(figures(gain)).set_index("comparison")
    row = table.loc["multiplying, not adding: CAM"]
    assert row["verdict"] == verdict
    assert row["difference"] == pytest.approx(np.mean(gain))
    assert row["std"] == pytest.approx(np.std(gain, ddof=1))
    assert row["before"] == pytest.approx(0.47)
    # The decoder's map of "mul" did not change, so against the CAM it lost what the CAM gained.
    assert table.loc["F-CAM, not CAM: mul", "difference"] == pytest.approx(-np.mean(gain))
    assert table.loc["F-CAM, not CAM: add", "verdict"] == "no difference"


def test_means_over_problems_come_before_the_spread_over_seeds():
    table = defects.maps(figures([0] * 5))
    spread = np.std([0.01 * seed for seed in range(5)], ddof=1)
    assert table["map"].tolist() == ["CAM", "F-CAM", "SegNet"]
    assert set(table["iou"]) == {f"{0.47:.3f} ± {spread:.3f}"}


def test_the_threshold_is_chosen_on_validation():
    cuts = [0.2, 0.5, 0.8]
    validation = pd.Series([0.1, 0.4, 0.3], index=cuts)
    test = pd.Series([0.6, 0.2, 0.3], index=cuts)
    found = defects._ious(validation, test)
    assert found == {"threshold": 0.5, "validation_iou": 0.4, "iou": 0.2, "best_iou": 0.6}


def test_published_figures_agree_with_the_published_matrices():
    """147 good surfaces, 26 defective; of those 15 found in problem 5, and 23 in problem 6."""
    table = defects.PUBLISHED.set_index("problem")
    for problem, hits in (("5", 15), ("6", 23)):
        row = table.loc[problem]
        assert row["accuracy"] == pytest.approx((147 + hits) / 173, abs=1e-2)
        assert row["precision_of_good"] == pytest.approx(147 / (173 - hits), abs=1e-4)
        assert row["recall"] == pytest.approx(hits / 26)
        assert row["auc_of_labels"] == pytest.approx((1 + hits / 26) / 2, abs=1e-4)


def test_surfaces_are_of_both_classes():
    assert [len(part) for part in defects.parts("builtin", 3, TINY)] == [24, 16, 24]
    with pytest.raises(InputError, match=r"0 of the 1 surfaces to test on|1 of the 1 surfaces"):
        defects.load("builtin", "test", 1, 16, 1)


def test_a_training_follows_from_its_seed_alone():
    train, validation, _ = defects.parts("builtin", 2, TINY)
    nets = [defects.train_classifier("mul", train, validation, TINY, seed) for seed in (0, 0, 1)]
    weights = [net.classifier.weight for net in nets]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_fcam_learns_from_labels_and_maps_alone(monkeypatch):
    """No mask is asked for, and the classifier stays as it was."""
    train = Dagm("builtin", "train", 2, 16, count=24)
    net = DefectNet(2, 2).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    monkeypatch.setattr(Dagm, "mask", None)
    model = defects.train_fcam(net, train, TINY, 0)
    assert model(torch.stack([train[0][0]])).shape == (1, 2, 16, 16)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
