"""What document 003 publishes of its three networks, and the same trainings run here.

The document trains FCN-32s "from scratch", which sets every convolution to zero, FCN-32s from
VGG-16's ImageNet weights, and FCN-8s from the same. Here a properly initialised start stands
beside the zeros, so that one thing at a time is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torchvision.models import vgg16
from tqdm.auto import tqdm

from labkit import runs
from labkit.data import Facade
from labkit.errors import InputError
from labkit.models import FCN8s, FCN32s
from labkit.models.initialization import zero_init
from labkit.models.weights import vgg16_weights
from labkit.presets import Preset
from labkit.training import build, fcn
from labkit.training.state import best_row

NETWORKS: Mapping[str, type[FCN32s | FCN8s]] = {"fcn32s": FCN32s, "fcn8s": FCN8s}
STARTS = ("zeros", "proper", "imagenet")

# Pixel accuracy and mean IoU of document 003, which calls "test" what it chose its epoch on.
PUBLISHED = pd.DataFrame(
    [
        ("fcn32s", "zeros", 10, 0.3475, 0.0304),
        ("fcn32s", "imagenet", 20, 0.6787, 0.3808),
        ("fcn8s", "imagenet", 20, 0.7397, 0.4821),
    ],
    columns=["network", "start", "epochs", "accuracy", "mean_iou"],
)


@dataclass(frozen=True)
class Arm:
    """One training: which network, where it starts, and its seed."""

    network: str
    start: str
    seed: int

    @property
    def name(self) -> str:
        """Of its run folder."""
        return f"{self.network}-{self.start}-{self.seed}"


def make_network(
    network: str, start: str, width: float, seed: int, n_classes: int = 12
) -> FCN32s | FCN8s:
    """A network whose first weights follow from the seed.

    Args:
        network: "fcn32s" or "fcn8s".
        start: "proper", "zeros" (every convolution, as in document 003), or "imagenet".
        width: share of VGG-16's channels; 1 for "imagenet".
        seed: of the weights that are drawn.
        n_classes: number of classes N.

    Raises:
        InputError: there is no such network or start, or VGG-16's weights cannot be had or do not
            fit.
    """
    for name, value, choices in (("network", network, NETWORKS), ("start", start, STARTS)):
        if value not in choices:
            raise InputError(f"{name} is {value!r}, expected one of {', '.join(choices)}")
    if start == "imagenet" and width != 1:
        raise InputError(f"width is {width:g}, expected 1 for VGG-16's ImageNet weights")
    weights = vgg16_weights() if start == "imagenet" else None
    model = build(lambda: NETWORKS[network](n_classes, width), seed)
    if start == "zeros":
        zero_init(model)
    if weights is not None:
        source = vgg16()
        source.load_state_dict(weights)
        model.load_vgg16(source)
    return model


def fcn_tables(
    data: str, preset: Preset, folder: Path, seeds: Sequence[int] = (0, 1, 2), progress: bool = True
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Train every network from every start that can be had, once a seed, and test it once.

    Finished trainings in the folder are read, an interrupted one is resumed. Zeros give the same
    for every seed but for the order of the images, so one seed serves.

    Args:
        data: "builtin", or a folder of the CMP Facade Database (split fairly, by seed 0).
        preset: the sizes.
        folder: one run folder a training, and `table.csv`.
        seeds: of weights and order.
        progress: show bars.

    Returns:
        A row a training: network, start, seed, best_epoch, validation_mean_iou, accuracy and
        mean_iou on the test images; and the figures of giving every pixel the commonest class.

    Raises:
        InputError: the data cannot be used, or the folder holds other trainings.
    """
    parts = load(data, preset)
    rows = []
    for arm in tqdm(list(_arms(preset, seeds)), "trainings", unit="", disable=not progress):
        rows.append(_train(arm, preset, parts, folder / arm.name, progress))
        with runs.replacing(folder / "table.csv") as draft:
            pd.DataFrame(rows).to_csv(draft, index=False)
    guess = fcn.majority(parts["train"], parts["test"], len(Facade.classes))
    majority = {"accuracy": guess.accuracy, "mean_iou": guess.mean_iou}
    runs.write_json(majority, folder / "majority.json")
    return pd.DataFrame(rows), majority


def load(data: str, preset: Preset) -> dict[str, Facade]:
    """The three splits at the preset's size, so many images of each as it says."""
    return {
        "train": Facade(data, "train", preset.size, count=preset.train_images),
        "validation": Facade(data, "validation", preset.size, count=preset.validation_images),
        "test": Facade(data, "test", preset.size, count=preset.test_images),
    }


def _arms(preset: Preset, seeds: Sequence[int]) -> Iterator[Arm]:
    """What is trained; from ImageNet weights only at full width, and where they are at hand."""
    yield Arm("fcn32s", "zeros", seeds[0])
    starts = ["proper"]
    if preset.width == 1:
        try:
            vgg16_weights()
            starts.append("imagenet")
        except InputError as error:
            tqdm.write(f"going on without ImageNet weights: {error}")
    for seed in seeds:
        for start in starts:
            for network in NETWORKS:
                yield Arm(network, start, seed)


def _train(
    arm: Arm, preset: Preset, parts: Mapping[str, Facade], run: Path, progress: bool
) -> dict[str, Any]:
    model = make_network(arm.network, arm.start, preset.width, arm.seed)
    history = fcn.fit(
        model,
        parts["train"],
        parts["validation"],
        epochs=preset.epochs,
        batch_size=preset.batch_size,
        lr=preset.lr,
        seed=arm.seed,
        run=run,
        resume=True,
        progress=progress,
    )
    if not (run / "test.json").is_file():
        tested = fcn.evaluate(model, parts["test"])
        runs.write_json(
            {
                "accuracy": tested.accuracy,
                "mean_iou": tested.mean_iou,
                "confusion": tested.confusion.tolist(),
            },
            run / "test.json",
        )
    figures = runs.read_json(run / "test.json")
    best = best_row(history, fcn.CRITERION)
    return {
        "network": arm.network,
        "start": arm.start,
        "seed": arm.seed,
        "best_epoch": int(best["epoch"]),
        "validation_mean_iou": float(best[fcn.CRITERION]),
        "accuracy": figures["accuracy"],
        "mean_iou": figures["mean_iou"],
    }
