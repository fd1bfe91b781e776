import json
import threading

import pytest
import torch

from labkit.errors import InputError
from labkit.runs import (
    create_run,
    load_checkpoint,
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
    [(None, "is no run"), ("{", "is not JSON"), ("[]", "does not hold settings")],
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
