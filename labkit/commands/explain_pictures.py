"""What `labkit explain --images …` does: maps of any pictures, from a network of one's choice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from tqdm import tqdm

from labkit import plots, runs
from labkit.commands.cam_run import load
from labkit.data import imagenet_labels, load_picture
from labkit.errors import InputError
from labkit.maps import enlarge, explain
from labkit.maps.explanation import METHODS, Method
from labkit.models.imagenet import IMAGENET_NETS, imagenet_net

BATCH, SHOWN = 8, 20


@dataclass(frozen=True)
class Classifier:
    """A network, the names of its classes, and how a picture becomes a batch of one for it."""

    net: nn.Module
    classes: Sequence[str]
    prepare: Callable[[NDArray[np.uint8]], Tensor]


@dataclass(frozen=True)
class Explained:
    """One picture: its file, itself, the map at its size, and the class with its probability."""

    path: Path
    picture: NDArray[np.uint8]
    heat: Tensor
    label: str
    probability: float


def explain_pictures(
    model: str,
    images: Sequence[Path],
    method: Method,
    layers: Sequence[str],
    target: str | None,
    out: Path,
    console: Console,
) -> None:
    """Explain pictures one batch after the other, and write what comes out.

    Args:
        model: a network with ImageNet weights, or the folder of a run.
        images: picture files of any size.
        method: as `labkit.maps.explain` has it.
        layers: names of layers, whole or their ends; none for the network's own.
        target: name or number of a class for all pictures, or None for each one's best.
        out: folder for NAME.png, a picture with its map each, and maps.png, all of them.
        console: where the table goes.
    """
    if method not in METHODS:
        raise InputError(f"--method is {method}, expected one of {', '.join(METHODS)}")
    names = [path.stem for path in images]
    for name in names:
        if names.count(name) > 1 or name == "maps":
            raise InputError(
                f"a picture's map is written to NAME.png, and {name}.png would be written twice: "
                "rename a picture, or explain them by two calls"
            )
    pictures = [load_picture(path) for path in images]
    classifier = _classifier(model)
    wanted = [_full_name(classifier.net, layer) for layer in layers]
    chosen = None if target is None else _class_number(classifier.classes, target)
    explained: list[Explained] = []
    with tqdm(
        total=len(pictures), desc="pictures", disable=not sys.stderr.isatty(), leave=False
    ) as progress:
        for numbers, batch in _batches([classifier.prepare(picture) for picture in pictures]):
            with torch.no_grad():
                scores = classifier.net(batch).scores
            labels = scores.argmax(1) if chosen is None else torch.full((len(batch),), chosen)
            maps = explain(classifier.net, batch, method, wanted, labels)
            chances = scores.softmax(1).gather(1, labels[:, None])[:, 0]
            for j, i in enumerate(numbers):
                size = (pictures[i].shape[0], pictures[i].shape[1])
                heat = enlarge(maps[j : j + 1], size)[0]
                label = classifier.classes[int(labels[j])]
                explained.append(Explained(images[i], pictures[i], heat, label, float(chances[j])))
            progress.update(len(numbers))
    explained.sort(key=lambda one: images.index(one.path))
    _write(explained, out)
    table = Table(title=f"{model}, {method}: class of the map, and its probability")
    for column in ("picture", "class", "probability"):
        table.add_column(column, justify="right" if column == "probability" else "left")
    for one in explained:
        table.add_row(str(one.path), one.label, f"{one.probability:.3f}")
    console.print(table)
    console.print(f"{len(explained) + 1} pictures are in {out}", soft_wrap=True)


def _classifier(model: str) -> Classifier:
    if model in IMAGENET_NETS:
        net = imagenet_net(model)
        return Classifier(net, imagenet_labels(), net.prepare)
    if not Path(model).exists():
        raise InputError(
            f"--model is {model}, expected one of {', '.join(IMAGENET_NETS)}, or a folder that "
            "`labkit train` made"
        )
    network = runs.read_config(Path(model)).get("network")
    if network not in ("cam", "seg"):
        raise InputError(f"{model} is a run of {network}, expected one of cam or seg")
    _, cam_net, test = load(Path(model), None)
    return Classifier(cam_net.eval(), test.classes, lambda picture: test.prepare(picture)[None])


def _full_name(net: nn.Module, layer: str) -> str:
    """The only layer whose name ends so; what is no end of one is for `explain` to refuse."""
    known = [name for name, _ in net.named_modules()]
    ends = [name for name in known if name.endswith(f".{layer}")]
    return ends[0] if layer not in known and len(ends) == 1 else layer


def _class_number(classes: Sequence[str], target: str) -> int:
    if target in classes:
        return classes.index(target)
    if target.isdecimal() and int(target) < len(classes):
        return int(target)
    near = ", ".join(get_close_matches(target, classes, n=5)) or f"{classes[0]}, {classes[1]}, …"
    raise InputError(
        f"--target is {target}, expected the name of a class ({near}) or its number, "
        f"0 to {len(classes) - 1}"
    )


def _batches(images: Sequence[Tensor]) -> Iterator[tuple[list[int], Tensor]]:
    """Images [1,3,h,w] of one size at a time, a few at once, with their places in the list."""
    sizes: dict[torch.Size, list[int]] = {}
    for i, image in enumerate(images):
        sizes.setdefault(image.shape, []).append(i)
    for numbers in sizes.values():
        for start in range(0, len(numbers), BATCH):
            some = numbers[start : start + BATCH]
            yield some, torch.cat([images[i] for i in some])


def _write(explained: Sequence[Explained], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for one in explained:
        overlay = cv2.cvtColor(plots.overlay(one.picture, one.heat), cv2.COLOR_RGB2BGR)
        with runs.replacing(out / f"{one.path.stem}.png") as draft:
            draft.write_bytes(cv2.imencode(".png", overlay)[1].tobytes())
    some = explained[:SHOWN]
    figure = plots.show_maps(
        [one.picture for one in some],
        [one.heat for one in some],
        titles=[f"{one.label} {one.probability:.2f}" for one in some],
    )
    plots.save_figure(figure, out / "maps.png")
