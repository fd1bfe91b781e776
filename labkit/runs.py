"""A run is a folder: what was asked for and what came of it.

    config.json   the settings, there from the start
    history.csv   the epochs so far, one a line
    last.pt       where the training stands, to go on from
    best.pt       the weights of the best epoch: `model.load_state_dict(load_checkpoint(...))`
    test.json     the figures on the test set
    *.png         pictures

Files appear whole or not at all, and a run is never overwritten.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from labkit.errors import InputError


def create_run(folder: Path | None, config: Mapping[str, Any], kind: str = "cam") -> Path:
    """Make a new run folder that holds `config.json`; both appear at once.

    Args:
        folder: where; None takes the next free number, `runs/cam-001` and so on.
        config: the settings, as JSON can hold them.
        kind: what is trained, the first half of a numbered name.

    Raises:
        InputError: the folder exists already, or cannot be made.
    """
    if folder is not None:
        return _create(folder, config)
    while True:
        try:
            return _create(_next_free(Path("runs"), kind), config)
        except FileExistsError:  # another process took the number since
            continue


class _RunExists(InputError, FileExistsError):
    """There is a run of this name."""


def _create(folder: Path, config: Mapping[str, Any]) -> Path:
    draft = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        draft.mkdir(parents=True)
        write_json(config, draft / "config.json")
        if not folder.exists():
            draft.rename(folder)  # fails where another process was faster
            return folder
    except OSError as error:
        if not folder.exists():
            raise InputError(f"the run folder {folder} cannot be made: {error}") from error
    finally:
        _remove_draft(draft)
    raise _RunExists(
        f"{folder} exists already and is not overwritten: choose another --run, or add --resume "
        "to go on with it"
    )


def _remove_draft(draft: Path) -> None:
    if draft.exists():
        (draft / "config.json").unlink(missing_ok=True)
        draft.rmdir()


def _next_free(parent: Path, kind: str) -> Path:
    taken = [path.name.removeprefix(f"{kind}-") for path in parent.glob(f"{kind}-*")]
    number = 1 + max((int(name) for name in taken if name.isdecimal()), default=0)
    return parent / f"{kind}-{number:03d}"


def read_config(folder: Path) -> dict[str, Any]:
    """The settings of a run.

    Raises:
        InputError: the folder is no run, or its `config.json` cannot be read.
    """
    try:
        return read_json(folder / "config.json")
    except OSError as error:
        raise InputError(
            f"{folder} is no run: there is no readable config.json in it; expected a folder that "
            "`labkit train` made"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote.

    Raises:
        InputError: the file holds something else.
        OSError: it cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not JSON ({error}): expected the file as it was written"
        ) from error
    if not isinstance(values, dict):
        raise InputError(f"{path} does not hold settings: expected the file as it was written")
    return values


def write_json(values: Mapping[str, Any], path: Path) -> None:
    """Write a JSON file at once, indented for readers."""
    with replacing(path) as draft:
        draft.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def save_checkpoint(values: Mapping[str, Any], path: Path) -> None:
    """Write tensors and plain values at once: a kill leaves the old file or the new one."""
    with replacing(path) as draft:
        torch.save(dict(values), draft)


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; no code in the file is run.

    Raises:
        InputError: the file is missing, or is no such file.
    """
    try:
        values = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise InputError(
            f"there is no {path}: was the run stopped before its first epoch ended?"
        ) from error
    except Exception as error:  # torch's reader of damaged files fails in every possible way
        raise InputError(
            f"{path} cannot be read as a checkpoint ({error}): expected the file as it was written"
        ) from error
    if not isinstance(values, dict):
        raise InputError(f"{path} is no checkpoint: expected the file as it was written")
    return values


def load_weights(model: nn.Module, path: Path) -> None:
    """Put weights that `save_checkpoint` wrote into a network of the same layers.

    Raises:
        InputError: the file is missing or damaged, or the weights are of other layers; names the
            first one.
    """
    put_weights(model, load_checkpoint(path), path)


def put_weights(model: nn.Module, weights: Any, path: Path) -> None:
    """The same with weights that were read from a file already.

    Raises:
        InputError: as `load_weights`.
    """
    expected = model.state_dict()
    given = weights if isinstance(weights, dict) else {}
    for name in [*expected, *given]:
        wanted, found = _shape(expected.get(name)), _shape(given.get(name))
        if wanted != found:
            raise InputError(
                f"{path} holds weights of another network: {name} is {found}, expected {wanted}"
            )
    try:
        model.load_state_dict(given)
    except Exception as error:  # shapes agree; names or kinds of tensor, such as sparse, do not
        raise InputError(f"{path} cannot be used as weights: {error}") from error


def _shape(weight: Any) -> str:
    return "x".join(map(str, weight.shape)) or "a number" if isinstance(weight, Tensor) else "none"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a draft beside `path` that takes its place when the block ends without an error."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        os.replace(draft, path)  # noqa: PTH105  (atomic on every system, unlike Path.rename)
    finally:
        draft.unlink(missing_ok=True)
