"""Run folders: settings, weights and where a training stands; used, or refused by name."""

import io
import json
import pickle
from dataclasses import asdict

import pytest
import torch
from fuzz.inputs import (
    ODD_TEXT,
    assert_sentence,
    damaged,
    folder,
    json_files,
    json_values,
    result_or_refusal,
)
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from labkit import runs
from labkit.commands import cam_run, defects_run, fcn_run, recam_run
from labkit.commands.networks import module_of
from labkit.commands.settings import settings_of
from labkit.errors import InputError
from labkit.plain import fits
from labkit.training import fit
from labkit.training.state import TrainingState

# Damaged input may make other libraries warn; what counts is what comes of it.
pytestmark = pytest.mark.filterwarnings("ignore")

CAM = cam_run._new({"network": "cam", "preset": "grade"})
SEG = cam_run._new({"network": "seg", "preset": "grade"})
FCN = fcn_run._new({"network": "fcn8s", "preset": "grade"})
HEAD = recam_run._new({"network": "recam", "preset": "laptop"})
DEFECTS = defects_run._new({"network": "defects", "preset": "grade"})
MADE = (CAM, SEG, FCN, HEAD, DEFECTS)


def config(made):
    return {**asdict(made), "labkit": "1", "torch": "2"}


def read(made, run):
    return settings_of(type(made), (made.network,), run)


@given(st.data())
def test_settings(data):
    made = data.draw(st.sampled_from(MADE))
    content = data.draw(
        json_files(config(made))
        | st.binary(max_size=30)
        | st.sampled_from([text.encode("utf-8", "replace") for text in ODD_TEXT])
    )
    with folder() as run:
        (run / "config.json").write_bytes(content)
        result_or_refusal(lambda: module_of(run), run)
        found = result_or_refusal(lambda: read(made, run), run)
    if found is not None:
        hints = type(made).__annotations__
        kinds = {"int": int, "float": float, "str": str, "bool": bool}
        assert all(fits(value, kinds[hints[name]]) for name, value in asdict(found).items())
        assert json.loads(content)["lr"] == found.lr


def test_settings_as_they_were_written_come_back(tmp_path):
    for made in MADE:
        assert read(made, runs.create_run(tmp_path / made.network, config(made))) == made


def saved(values, **options):
    torch.save(values, file := io.BytesIO(), **options)
    return file.getvalue()


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


class Evil:
    def __reduce__(self):
        return (print, ("this ran",))


torch.manual_seed(0)
GOOD = network().state_dict()
FILES = [saved(GOOD), saved(GOOD, _use_new_zipfile_serialization=False)]
ODD_WEIGHTS = [
    *[torch.ones(3, 4), torch.ones(4, 3, dtype=torch.complex64), torch.ones(4, 3).to_sparse()],
    *[torch.ones(4, 3, device="meta"), torch.full((4, 3), torch.nan), torch.tensor(1.0), None],
    *[[1.0], "text", torch.ones(4, 3, dtype=torch.bool), torch.empty(0), {"a": 1}, 10**400],
    *[torch.quantize_per_tensor(torch.ones(4, 3), 0.1, 0, torch.qint8)],
]
ODD_FILES = [
    *[saved(each) for each in (None, 1, "text", [GOOD], torch.ones(2), {}, {1: 2})],
    *[saved(Evil()), saved({"0.weight": Evil()}), pickle.dumps(Evil()), pickle.dumps(GOOD)],
    *[b"", b"PK\x03\x04", b"\x80\x02", b"not weights"],
]


@st.composite
def weights_files(draw):
    """Files of weights: right, damaged, or of something else."""
    kind = draw(st.sampled_from(["good", "bytes", "bytes", "bytes", "parts", "odd"]))
    if kind == "bytes":
        return draw(damaged(draw(st.sampled_from(FILES))))
    if kind == "odd":
        return draw(st.sampled_from(ODD_FILES))
    weights = dict(GOOD)
    if kind == "parts":
        name = draw(st.sampled_from(list(weights)))
        match draw(st.sampled_from(["drop", "more", "change"])):
            case "drop":
                del weights[name]
            case "more":
                weights[draw(st.sampled_from(["x", 1, None, name + "\0"]))] = torch.ones(1)
            case "change":
                weights[name] = draw(st.sampled_from(ODD_WEIGHTS))
    return saved(weights)


@given(weights_files())
def test_weights(content):
    model = network()
    with folder() as run:
        (path := run / "best.pt").write_bytes(content)
        try:
            runs.load_weights(model, path)
        except InputError as error:
            assert_sentence(str(error), path)
            return
        found = torch.load(path, "cpu", weights_only=True)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, found[name].to(value), equal_nan=True)


@pytest.mark.parametrize("content", ODD_FILES)
def test_files_of_something_else(content, tmp_path, capsys):
    (path := tmp_path / "best.pt").write_bytes(content)
    with pytest.raises(InputError) as refusal:
        runs.load_weights(network(), path)
    assert_sentence(str(refusal.value), path)
    assert "this ran" not in capsys.readouterr().out


FEATURES = TensorDataset(torch.randn(8, 3), torch.arange(8) % 2)


class Scores(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = network()

    def forward(self, x):
        from types import SimpleNamespace

        return SimpleNamespace(scores=self.net(x))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    fit(Scores(), FEATURES, FEATURES, epochs=1, batch_size=4, lr=0.01, seed=0, run=run,
        progress=False)  # fmt: skip
    return torch.load(run / "last.pt", weights_only=True)


def state_of(last):
    model = Scores()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return TrainingState(model, optimizer, last["settings"])


@given(data=st.data())
def test_where_a_training_stands(trained, data):
    last = dict(trained)
    kind = data.draw(st.sampled_from(["part", "inner", "bytes"]))
    name = data.draw(st.sampled_from(list(last)))
    if kind == "part":
        last[name] = data.draw(json_values() | st.sampled_from(list(trained.values())))
    elif kind == "inner" and isinstance(last[name], dict):
        inner = dict(last[name])
        inner[data.draw(st.sampled_from(list(inner)))] = data.draw(json_values())
        last[name] = inner
    content = saved(last)
    content = data.draw(damaged(content)) if kind == "bytes" else content
    with folder() as run:
        (run / "last.pt").write_bytes(content)
        (run / "best.pt").write_bytes(b"the best so far")
        state = state_of(trained)
        try:
            state.open(run, True, epochs=5)
        except InputError as error:
            assert_sentence(str(error), run)
            assert (run / "best.pt").read_bytes() == b"the best so far"
        else:
            assert state.epoch == len(state.table) <= 5
            state.add(dict(trained["history"][0]))


@given(weights_files())
def test_a_run_of_cam(content):
    """The whole way of `labkit evaluate`: never another network's weights."""
    with folder() as run:
        runs.write_json({**config(CAM), "test_images": 1}, run / "config.json")
        (run / "best.pt").write_bytes(content)
        assert result_or_refusal(lambda: cam_run.load(run, None), run) is None
