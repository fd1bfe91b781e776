import json
import threading

import pytest
import torch

from labkit.errors import InputError
from labkit.runs import (
    create_run,
    load_checkpoint,
    load_weights,
    read_config,
    replacing,
    save_checkpoint,
    write_json,
)


def test_a_run_starts_with_its_settings(tmp_path):
    folder = create_run(tmp_path / "a" / "b", {"lr": 0.1})
    assert [path.name for path in folder.iterdir()] == ["config.json"]
    assert [path.name for path in folder.parent.iterdir()] == ["b"]
    assert read_config(folder) == {"lr": 0.1}


def test_runs_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "cam-old").mkdir(parents=True)
    assert create_run(None, {}).as_posix() == "runs/cam-001"
    (tmp_path / "runs" / "cam-007").mkdir()
    assert create_run(None, {}).as_posix() == "runs/cam-008"
    assert create_run(None, {}, kind="seg").as_posix() == "runs/seg-001"


def test_a_run_is_not_overwritten(tmp_path):
    folder = create_run(tmp_path / "run", {"lr": 0.1})
    with pytest.raises(InputError, match=r"exists already .* --resume"):
        create_run(folder, {"lr": 0.2})
    assert read_config(folder) == {"lr": 0.1}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_empty_folder_is_not_taken_over(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match="exists already"):
        create_run(tmp_path / "run", {})
    assert not list((tmp_path / "run").iterdir())


def test_two_at_once_take_two_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = []
    threads = [
        threading.Thread(target=lambda i=i: folders.append(create_run(None, {"i": i})))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == 8
    assert sorted(read_config(folder)["i"] for folder in folders) == list(range(8))
    assert len(list((tmp_path / "runs").iterdir())) == 8


def test_a_run_that_cannot_be_made_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        create_run(tmp_path / "file" / "run", {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_settings_that_json_cannot_hold_leave_nothing(tmp_path):
    with pytest.raises(TypeError):
        create_run(tmp_path / "run", {"model": object()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is no run"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "does not hold settings"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_config(tmp_path)


def test_who_reads_meanwhile_sees_the_old_file_whole(tmp_path):
    path = tmp_path / "test.json"
    write_json({"accuracy": 1}, path)
    with path.open() as reader:
        write_json({"accuracy": 2}, path)
        assert json.load(reader) == {"accuracy": 1}
    assert json.loads(path.read_text()) == {"accuracy": 2}


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "test.json"
    write_json({"accuracy": 1}, path)
    with pytest.raises(KeyboardInterrupt), replacing(path) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert json.loads(path.read_text()) == {"accuracy": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_checkpoints_come_back_exactly(tmp_path):
    values = {"weight": torch.randn(3), "history": [{"loss": 0.1}]}
    save_checkpoint(values, tmp_path / "last.pt")
    loaded = load_checkpoint(tmp_path / "last.pt")
    assert torch.equal(loaded["weight"], values["weight"])
    assert loaded["history"] == values["history"]


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    torch.save({"model": Evil()}, tmp_path / "last.pt")
    with pytest.raises(InputError, match="cannot be read"):
        load_checkpoint(tmp_path / "last.pt")
    assert not (tmp_path / "ran").exists()


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no .*last\.pt"):
        load_checkpoint(tmp_path / "last.pt")


@pytest.mark.parametrize("values", [torch.ones(2), [1], "text", None])
def test_a_file_of_something_else_is_no_checkpoint(tmp_path, values):
    torch.save(values, tmp_path / "best.pt")
    with pytest.raises(InputError, match=r"best\.pt is no checkpoint"):
        load_checkpoint(tmp_path / "best.pt")


def test_a_checkpoint_that_is_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    save_checkpoint({"weight": torch.randn(3)}, path := tmp_path / "best.pt")
    whole = path.read_bytes()
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"best\.pt cannot be read as a checkpoint"):
            load_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": torch.ones(3, 2)}, "weight is 3x2, expected 2x3"),
        ({"weight": torch.tensor(1.0)}, "weight is a number, expected 2x3"),
        ({"weight": "text"}, "weight is none, expected 2x3"),
        ({"more": torch.ones(1)}, "more is 1, expected none"),
        ({"weight": torch.ones(2, 3, device="meta")}, "cannot be used as weights"),
        ({None: "text"}, "cannot be used as weights"),
    ],
)
def test_weights_of_another_network_name_the_layer(tmp_path, change, message):
    net = torch.nn.Linear(3, 2)
    torch.save({**net.state_dict(), **change}, tmp_path / "best.pt")
    with pytest.raises(InputError, match=message) as refusal:
        load_weights(net, tmp_path / "best.pt")
    assert str(tmp_path / "best.pt") in str(refusal.value)


def test_weights_come_back_exactly(tmp_path):
    one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    save_checkpoint(one.state_dict(), tmp_path / "best.pt")
    load_weights(other, tmp_path / "best.pt")
    assert torch.equal(one.weight, other.weight) and torch.equal(one.bias, other.bias)
