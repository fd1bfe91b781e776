"""The trainings of document 003: all of them, read again, and refused."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import torch

from labkit.errors import InputError
from labkit.experiments import fcn
from labkit.presets import preset

TINY = replace(preset("lab3_fcn", "grade"), train_images=2, test_images=2)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    table, majority = fcn.fcn_tables("builtin", TINY, folder, (0, 1), progress=False)
    return folder, table, majority


def test_every_training_has_its_row_and_folder(done):
    folder, table, majority = done
    assert [tuple(row) for row in table[["network", "start", "seed"]].itertuples(index=False)] == [
        ("fcn32s", "zeros", 0),
        ("fcn32s", "proper", 0),
        ("fcn8s", "proper", 0),
        ("fcn32s", "proper", 1),
        ("fcn8s", "proper", 1),
    ]
    pd.testing.assert_frame_equal(pd.read_csv(folder / "table.csv"), table)
    assert json.loads((folder / "majority.json").read_text()) == majority
    confusion = torch.tensor(
        json.loads((folder / "fcn8s-proper-1" / "test.json").read_text())["confusion"]
    )
    assert int(confusion.sum()) == 2 * 32 * 32


def test_a_second_run_reads_what_is_there(done, monkeypatch):
    folder, table, _ = done
    monkeypatch.setattr(fcn.fcn, "_learn", None)
    again, _ = fcn.fcn_tables("builtin", TINY, folder, (0, 1), progress=False)
    pd.testing.assert_frame_equal(again, table)


def test_other_settings_do_not_go_into_the_same_folder(done):
    folder, _, _ = done
    with pytest.raises(InputError, match=r"was trained with lr 0\.001, not 0\.1"):
        fcn.fcn_tables("builtin", replace(TINY, lr=0.1), folder, (0, 1), progress=False)


def test_starts():
    zeros = fcn.make_network("fcn8s", "zeros", 1 / 16, 0)
    assert not zeros.fc6.weight.any() and zeros.upscore1.weight.any()
    one, same, other = (fcn.make_network("fcn32s", "proper", 1 / 16, s) for s in (3, 3, 4))
    assert torch.equal(one.fc6.weight, same.fc6.weight)
    assert not torch.equal(one.fc6.weight, other.fc6.weight)


def test_refuses():
    with pytest.raises(InputError, match="'fcn16s', expected one of fcn32s, fcn8s"):
        fcn.make_network("fcn16s", "proper", 1, 0)
    with pytest.raises(InputError, match="'random', expected one of zeros, proper, imagenet"):
        fcn.make_network("fcn8s", "random", 1, 0)
    with pytest.raises(InputError, match=r"width is 0\.5, expected 1 for VGG-16"):
        fcn.make_network("fcn8s", "imagenet", 0.5, 0)


def test_published_figures_are_those_of_the_document():
    """Test Acc and Test Mean IoU of its three outputs, to the digits printed."""
    assert fcn.PUBLISHED["accuracy"].tolist() == [0.3475, 0.6787, 0.7397]
    assert fcn.PUBLISHED["mean_iou"].tolist() == [0.0304, 0.3808, 0.4821]
