"""Document 001's table of CAM against ReCAM, and the same trainings run here.

The document's "ReCAM" is the naive one; the paper's stands beside it. Every head is trained on the
same features of one frozen extractor, from the stored tenfold set, with the document's rule to
stop. Its accuracies are those of the validation set that chose the epoch, and so are the ones to
put beside them; the test set, which the document leaves out, is looked at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch.utils.data import TensorDataset
from tqdm.auto import tqdm

from labkit import runs
from labkit.data import Flowers17, flowers17_folder, store_augmented
from labkit.data.augmentation import COPIES
from labkit.errors import InputError
from labkit.maps.normalize import Normalization
from labkit.metrics import iou
from labkit.models.extractors import channels_of, imagenet_extractor
from labkit.models.vgg import CamHead
from labkit.presets import Preset
from labkit.training import build, fit
from labkit.training.extractor import extract, kept_extractor
from labkit.training.heads import (
    CrossEntropies,
    KeepEpochs,
    class_maps,
    count_hits,
    make_head,
    objective_of,
)
from labkit.training.state import best_row

LRS = (1e-4, 5e-4, 1e-3, 2e-3)  # ten times the document's, for batches four times as large
EXTRACTORS = ("drawn", "vgg16", "efficientnet")

# Table 2 of document 001: by learning rate the epoch, top-1, top-3, top-5 and validation loss.
PUBLISHED = pd.DataFrame(
    [
        ("CAM", "", 1e-5, 40, 0.8147, 0.9618, 0.9912, 1.003636),
        ("CAM", "", 5e-5, 37, 0.9265, 0.9853, 0.9971, 0.288743),
        ("CAM", "", 1e-4, 22, 0.9294, 0.9912, 0.9971, 0.271448),
        ("CAM", "", 2e-4, 11, 0.9206, 0.9882, 0.9941, 0.282351),
        ("naive", "minmax", 1e-5, 40, 0.7706, 0.9118, 0.9618, 1.367373),
        ("naive", "minmax", 5e-5, 39, 0.8765, 0.9676, 0.9912, 0.457615),
        ("naive", "minmax", 1e-4, 25, 0.8941, 0.9735, 0.9941, 0.349892),
        ("naive", "minmax", 2e-4, 12, 0.9029, 0.9853, 0.9912, 0.370260),
        ("naive", "sigmoid", 1e-5, 40, 0.7912, 0.9294, 0.9765, 1.052183),
        ("naive", "sigmoid", 5e-5, 40, 0.9059, 0.9912, 1.0000, 0.289081),
        ("naive", "sigmoid", 1e-4, 18, 0.8853, 0.9794, 0.9912, 0.373524),
        ("naive", "sigmoid", 2e-4, 9, 0.8824, 0.9735, 0.9912, 0.366691),
        ("naive", "relu", 1e-5, 40, 0.7588, 0.8912, 0.9441, 1.457482),
        ("naive", "relu", 5e-5, 39, 0.8882, 0.9765, 0.9912, 0.381621),
        ("naive", "relu", 1e-4, 24, 0.9000, 0.9824, 0.9882, 0.365495),
        ("naive", "relu", 2e-4, 14, 0.8971, 0.9794, 0.9882, 0.341185),
    ],
    columns=["network", "maps by", "lr", "epoch", "top1", "top3", "top5", "loss"],
)


class Arm(NamedTuple):
    """One way to train: which head, and how its maps become weights."""

    network: str
    how: Normalization | None

    @property
    def name(self) -> str:
        """Of its run folders."""
        return self.network if self.how is None else f"{self.network}-{self.how}"


ARMS = (
    Arm("cam", None),
    Arm("naive", "minmax"),
    Arm("naive", "sigmoid"),
    Arm("naive", "relu"),
    Arm("recam", "relu"),
)


class Features(NamedTuple):
    """What the heads learn from and are judged by, and the test pictures' masks where known."""

    train: TensorDataset
    validation: TensorDataset
    test: TensorDataset
    pictures: Flowers17
    channels: int


def recam_table(
    data: str,
    preset: Preset,
    folder: Path,
    seeds: Sequence[int] = (0,),
    extractor: str = "drawn",
    lrs: Sequence[float] = LRS,
    copies: int = COPIES,
    progress: bool = True,
) -> pd.DataFrame:
    """Train every head with every learning rate and seed, and judge it.

    Finished trainings in the folder are read, an interrupted one is resumed; so is the table.

    Args:
        data: "builtin", or a folder in the layout of Flower-17, augmented already or not.
        preset: the sizes.
        folder: for the stored augmented set, a run folder a training, and `table.csv`.
        seeds: of the heads' weights and the order of the pictures.
        extractor: "drawn" trains a narrow VGG-16 on drawn flowers of other kinds; "vgg16" and
            "efficientnet" have ImageNet weights.
        lrs: Adam's learning rates.
        copies: how many of each training picture, itself among them.
        progress: show bars.

    Returns:
        A row a training: network, how, lr, seed, epochs (until the rule stopped it), epoch (the
        best), top1, top3, top5 and loss on the validation set, test_top1, and, where there are
        masks, class_iou: the mean over test pictures at the threshold that is best for the arm.

    Raises:
        InputError: the data or the extractor cannot be had, or the folder holds other trainings.
    """
    if extractor not in EXTRACTORS:
        raise InputError(f"extractor {extractor!r}, expected one of {', '.join(EXTRACTORS)}")
    settings = {"data": data, "extractor": extractor, "copies": copies, **asdict(preset)}
    _check_folder(folder, settings)
    if data != "builtin":
        flowers17_folder.read_split(Path(data), "test", 1)  # complains before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    features = _features(data, preset, folder, extractor, copies, progress)
    runs.write_json(settings, folder / "config.json")
    jobs = [(arm, lr, seed) for seed in seeds for lr in lrs for arm in ARMS]
    rows = []
    for arm, lr, seed in tqdm(jobs, "trainings", unit="", disable=not progress):
        run = folder / f"{arm.name}-lr{lr:g}-seed{seed}"
        rows.append(_train(arm, lr, seed, features, preset, run))
        with runs.replacing(folder / "table.csv") as draft:
            pd.DataFrame(rows).to_csv(draft, index=False)
    return pd.DataFrame(rows)


def _check_folder(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder whose trainings were started with other settings."""
    if not (folder / "config.json").exists():
        return
    earlier = runs.read_config(folder)
    for name, value in settings.items():
        if earlier.get(name) != value:
            raise InputError(
                f"{folder} holds trainings with {name} {earlier.get(name)}, not {value}: choose "
                "another folder"
            )


def _features(
    data: str, preset: Preset, folder: Path, extractor: str, copies: int, progress: bool
) -> Features:
    """Of the stored augmented set, computed once; kept in the folder with the extractor."""
    stored = Path(data)
    if data == "builtin" or not flowers17_folder.is_stored(stored):
        stored = folder / "augmented"
        if not stored.exists():
            store_augmented(data, stored, copies=copies, size=preset.size, progress=progress)
    if extractor == "drawn":
        network = kept_extractor(
            folder / "extractor.pt",
            preset.width,
            preset.size,
            preset.extractor_images,
            preset.extractor_epochs,
            progress=progress,
        )
    else:
        network = imagenet_extractor(extractor)
    # The built-in pictures themselves, which have masks and no traces of JPEG.
    own = stored if data != "builtin" else Path("builtin")
    counts = {
        "train": copies * preset.train_images,
        "validation": preset.validation_images,
        "test": preset.test_images,
    }
    parts = {
        split: Flowers17(
            str(stored if split == "train" else own),
            split,  # type: ignore[arg-type]  # the keys above
            preset.size,
            count=counts[split],
        )
        for split in counts
    }
    made = {split: extract(part, network, progress=progress) for split, part in parts.items()}
    return Features(**made, pictures=parts["test"], channels=channels_of(network))


def _train(
    arm: Arm, lr: float, seed: int, features: Features, preset: Preset, run: Path
) -> dict[str, Any]:
    if (run / "figures.json").is_file():
        return runs.read_json(run / "figures.json")
    head = build(
        lambda: make_head(arm.network, len(features.pictures.classes), features.channels, arm.how),
        seed,
    )
    history = fit(
        head,
        features.train,
        features.validation,
        epochs=preset.epochs,
        batch_size=preset.batch_size,
        lr=lr,
        seed=seed,
        run=run,
        resume=True,
        progress=False,
        objective=objective_of(head),
        measure=KeepEpochs(features.validation),
        stop=CrossEntropies(head, features.train),
    )
    best = best_row(history)
    hits, n = count_hits(head, features.test)
    figures = {
        "network": arm.network,
        "how": arm.how or "",
        "lr": lr,
        "seed": seed,
        "epochs": len(history),
        "epoch": int(best["epoch"]),
        **{f"top{k}": float(best[f"validation_top{k}"]) for k in (1, 3, 5)},
        "loss": float(best["validation_loss"]),
        "test_top1": hits[1] / n,
        "class_iou": best_iou(head, features.test, features.pictures),
    }
    runs.write_json(figures, run / "figures.json")
    return figures


def best_iou(head: CamHead, data: TensorDataset, pictures: Flowers17) -> float | None:
    """Mean IoU of the maps of the true classes with the masks, at the best of 19 thresholds.

    One threshold for all pictures, 0.05 to 0.95; None where there are no masks. It is chosen on
    the pictures that it is measured on, so it is an upper bound, the same for every head.
    """
    masks = [pictures.mask(i) for i in range(len(pictures))]
    known = [torch.from_numpy(mask) for mask in masks if mask is not None]
    if len(known) < len(masks):
        return None
    features, labels = data.tensors
    height, width = known[0].shape
    maps = class_maps(head, features, labels, (height, width))
    return max(
        sum(iou(map > cut / 20, mask) for map, mask in zip(maps, known, strict=True)) / len(known)
        for cut in range(1, 20)
    )
