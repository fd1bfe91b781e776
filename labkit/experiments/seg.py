"""Document 000: its tables beside ours, and whether the handout's loss shrinks the maps."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset
from tqdm.auto import tqdm

from labkit.data import CamSeg
from labkit.localization import class_maps, iou_table, seg_maps
from labkit.losses import handout_maps
from labkit.maps import class_activation_map, enlarge, normalize
from labkit.models import CamNet, CamOutput
from labkit.segmentation import SegObjective, map_figures
from labkit.training import Objective, build, classification, evaluate, fit
from labkit.training.state import as_found, best_row
from labkit.transforms import Scale, by_name

THRESHOLD = 125  # of 255, at which a single IoU is given


@dataclass(frozen=True)
class Sizes:
    """How much an experiment trains: images of `size` pixels, the first `images` of the set."""

    size: int
    images: int
    test_images: int
    epochs: int
    batch_size: int = 64
    lr: float = 1e-3


SIZES: Mapping[str, Sizes] = {
    "grade": Sizes(size=32, images=40, test_images=20, epochs=1, batch_size=20),
    "laptop": Sizes(size=64, images=2000, test_images=200, epochs=10),
    "paper": Sizes(size=224, images=50_000, test_images=10_000, epochs=10),
}

# What is compared in the question whether the handout's loss shrinks the maps.
ARMS: Mapping[str, Objective] = {
    "cam": classification,
    "two copies": SegObjective(Scale(), "none"),
    "handout": SegObjective(Scale(), "handout"),
    "normalized": SegObjective(Scale(), "normalized"),
    "ssenet": SegObjective(Scale(), "ssenet"),
}


def train_one(
    data: str,
    sizes: Sizes,
    objective: Objective,
    seed: int,
    run: Path,
    watch: bool = False,
    progress: bool = False,
) -> tuple[pd.DataFrame, CamNet]:
    """Train one network from scratch; its history, a row an epoch, and its best weights.

    The last tenth of the training images is held out and chooses the best epoch.

    Args:
        data: "builtin", or a folder in the layout of `labkit.data.cam_seg_folder`.
        sizes: how much is trained.
        objective: what is minimised.
        seed: of weights and order; the images are the same for every seed.
        run: folder; a finished training in it is read, an interrupted one resumed.
        watch: add the figures of `Watch` to the history.
        progress: show bars.

    Raises:
        InputError: the data cannot be used, or the folder holds another training.
    """
    train = CamSeg(data, "train", sizes.size)
    test = CamSeg(data, "test", sizes.size)
    chosen = draw(len(train), sizes.images)
    held_out = max(1, len(chosen) // 10)
    learnt = Subset(train, chosen[:-held_out])
    model = build(lambda: CamNet(len(train.classes)), seed)
    history = fit(
        model,
        learnt,
        Subset(train, chosen[-held_out:]),
        epochs=sizes.epochs,
        batch_size=sizes.batch_size,
        lr=sizes.lr,
        seed=seed,
        run=run,
        resume=True,
        progress=progress,
        objective=objective,
        measure=Watch(test, draw(len(test), sizes.test_images), learnt) if watch else None,
    )
    return history, model


class Watch:
    """Measures a network's maps on test images, for every epoch of a training.

    The figures: test_accuracy; map_size, seg and relative of `map_figures` under halving;
    class_iou and handout_iou, the mean IoU at `THRESHOLD` of both kinds of map (class_best and
    handout_best: at the best of `THRESHOLDS`); and own_accuracy and own_iou, of the same weights
    when the statistics of batch norm are taken anew from whole-size images. In a network trained
    on two scales these statistics are a mixture that neither scale has.

    Args:
        test: test images; where they have no masks, the maps of the ten sources are measured.
        chosen: which of them.
        learnt: training images, for the statistics of batch norm.
    """

    def __init__(self, test: CamSeg, chosen: Sequence[int], learnt: Dataset) -> None:
        self.images = torch.stack([test[i][0] for i in chosen])
        self.labels = test.labels[list(chosen)]
        self.masked, self.of_masked = self.images, self.labels
        self.masks = [mask for i in chosen if (mask := test.mask(i)) is not None]
        if len(self.masks) < len(self.images):
            self.masked, self.of_masked, self.masks = _sources(test)
        n = min(300, len(learnt))  # type: ignore[arg-type]
        self.learnt = torch.stack([learnt[i][0] for i in range(n)])

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """The figures of a model, which is left as it was."""
        assert isinstance(model, CamNet)
        own = with_own_statistics(model, self.learnt)
        with as_found(model, self.images.device):
            return self._figures(model.eval(), own)

    def _figures(self, model: CamNet, own: CamNet) -> dict[str, float]:
        seen, small = _outputs(model, self.masked), _outputs(model, Scale()(self.masked))
        of_own = _outputs(own, self.masked)
        class_iou, class_best = self._ious(self._class_maps(model, seen))
        handout_iou, handout_best = self._ious(handout_maps(seen))
        own_iou, _ = self._ious(self._class_maps(own, of_own))
        return {
            "test_accuracy": self._accuracy(model, seen),
            **map_figures(seen, small, Scale()),
            "class_iou": class_iou,
            "class_best": class_best,
            "handout_iou": handout_iou,
            "handout_best": handout_best,
            "own_accuracy": self._accuracy(own, of_own),
            "own_iou": own_iou,
        }

    def _accuracy(self, model: CamNet, of_masked: CamOutput) -> float:
        same = self.masked is self.images
        scores = of_masked.scores if same else _outputs(model, self.images).scores
        return float((scores.argmax(1) == self.labels).float().mean())

    def _class_maps(self, model: CamNet, output: CamOutput) -> Tensor:
        rows = model.classifier.weight[self.of_masked].detach()
        return class_activation_map(output.features, rows)

    def _ious(self, maps: Tensor) -> tuple[float, float]:
        height, width = self.masks[0].shape
        heat = enlarge(normalize(maps), (height, width))
        means = iou_table(list(heat), self.masks).mean()
        return float(means[THRESHOLD]), float(means.max())


def with_own_statistics(model: CamNet, images: Tensor) -> CamNet:
    """A copy whose batch norms hold the plain average over images [n,3,H,W] at whole size."""
    own = copy.deepcopy(model).train()
    for module in own.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain average over batches
    _outputs(own, images)
    return own.eval()


def _outputs(model: CamNet, images: Tensor) -> CamOutput:
    """What a model says about images, in batches of 100."""
    with torch.no_grad():
        parts = [model(batch) for batch in images.split(100)]
    return CamOutput(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _sources(test: CamSeg) -> tuple[Tensor, Tensor, list]:
    """The ten chosen images [10,3,H,W], their labels [10] and their masks."""
    sources = test.sources()
    images = torch.stack([test.prepare(picture) for picture, _ in sources.values()])
    labels = torch.tensor([test.classes.index(name) for name in sources])
    return images, labels, [mask for _, mask in sources.values()]


def draw(n: int, at_most: int) -> list[int]:
    """Always the same images of n, in random order: lists may be sorted by class."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))[:at_most].tolist()


# The question of the segmentation lab


def seg_shrinking(
    data: str, sizes: Sizes, folder: Path, seeds: Sequence[int], progress: bool = False
) -> pd.DataFrame:
    """Does the handout's loss shrink the maps, and does normalising them mend it?

    Trains every one of `ARMS` with every seed, in folders of its own inside `folder`.

    Returns:
        One row an epoch of each training: arm, seed, epoch, and the figures of `Watch`; epoch 0
        is the network before it has learnt anything.
    """
    jobs = [(seed, arm) for seed in seeds for arm in ARMS]
    histories = []
    for seed, arm in tqdm(jobs, "trainings", unit="", disable=not progress):
        run = folder / f"{arm.replace(' ', '-')}-seed{seed}"
        history, _ = train_one(data, sizes, ARMS[arm], seed, run, True, progress)
        history.insert(0, "seed", seed)
        history.insert(0, "arm", arm)
        histories.append(history)
    return pd.concat(histories, ignore_index=True)


def untrained(data: str, sizes: Sizes, seeds: Sequence[int]) -> pd.DataFrame:
    """The figures of `Watch` for networks that have learnt nothing, a row a seed."""
    train = CamSeg(data, "train", sizes.size)
    test = CamSeg(data, "test", sizes.size)
    learnt = Subset(train, draw(len(train), sizes.images))
    watch = Watch(test, draw(len(test), sizes.test_images), learnt)
    rows = [watch(build(lambda: CamNet(len(train.classes)), seed)) for seed in seeds]
    return pd.DataFrame(rows).assign(seed=list(seeds))


def mean_and_spread(figures: pd.DataFrame, columns: Sequence[str], epochs: int = 3) -> pd.DataFrame:
    """Mean and standard deviation over the seeds, a row an arm, as text.

    Each training counts with its mean over the last `epochs` epochs: single epochs jump.
    """
    late = figures[figures["epoch"] > figures["epoch"].max() - epochs]
    last = late.groupby(["arm", "seed"], sort=False)[list(columns)].mean().reset_index()
    grouped = last.groupby("arm", sort=False)[list(columns)]
    means, spreads = grouped.mean(), grouped.std(ddof=1)
    return pd.DataFrame(
        {
            name: [f"{m:.3f} ± {s:.3f}" for m, s in zip(means[name], spreads[name], strict=True)]
            for name in columns
        },
        index=means.index,
    )


# The tables of document 000

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# Tables 1 and 2: mode, batch size, learning rate, test accuracy, epoch.
PUBLISHED_ACCURACY = (
    ("CAM", 64, 1e-4, 0.692, 10),
    ("CAM", 16, 1e-4, 0.718, 10),
    ("CAM", 64, 1e-3, 0.760, 10),
    ("SEG", 64, 1e-3, 0.789, 8),
)
# Table 5: by threshold and mode, in the order of CLASSES. Tables 6 and 7: SEG at 125 after a
# vertical flip, and after a vertical and a horizontal one.
PUBLISHED_IOU: Mapping[tuple[str, int], tuple[float, ...]] = {
    ("CAM", 175): (0.000, 0.000, 0.248, 0.000, 0.030, 0.052, 0.002, 0.013, 0.000, 0.110),
    ("SEG", 175): (0.000, 0.000, 0.000, 0.000, 0.012, 0.000, 0.000, 0.000, 0.000, 0.000),
    ("CAM", 150): (0.215, 0.025, 0.052, 0.006, 0.036, 0.002, 0.038, 0.014, 0.168, 0.002),
    ("SEG", 150): (0.000, 0.000, 0.027, 0.000, 0.012, 0.000, 0.000, 0.000, 0.000, 0.000),
    ("CAM", 125): (0.325, 0.042, 0.107, 0.014, 0.035, 0.007, 0.065, 0.033, 0.224, 0.006),
    ("SEG", 125): (0.000, 0.000, 0.080, 0.000, 0.018, 0.011, 0.000, 0.000, 0.000, 0.004),
    ("CAM", 75): (0.524, 0.162, 0.275, 0.050, 0.113, 0.034, 0.185, 0.095, 0.466, 0.013),
    ("SEG", 75): (0.000, 0.008, 0.345, 0.006, 0.053, 0.133, 0.021, 0.037, 0.025, 0.327),
    ("SEG vflip", 125): (0.000, 0.068, 0.126, 0.000, 0.023, 0.136, 0.018, 0.000, 0.000, 0.090),
    ("SEG vflip+hflip", 125): (
        *(0.007, 0.028, 0.200, 0.000, 0.040),
        *(0.045, 0.127, 0.009, 0.010, 0.036),
    ),
}
TRAININGS: Mapping[str, tuple[Objective, int, float]] = {
    "CAM, 64, 0.0001": (classification, 64, 1e-4),
    "CAM, 16, 0.0001": (classification, 16, 1e-4),
    "CAM": (classification, 64, 1e-3),
    "SEG": (SegObjective(by_name("scale")), 64, 1e-3),
    "SEG vflip": (SegObjective(by_name("vflip")), 64, 1e-3),
    "SEG vflip+hflip": (SegObjective(by_name("vflip+hflip")), 64, 1e-3),
}


def seg_tables(
    data: str, sizes: Sizes, folder: Path, seed: int = 0, progress: bool = False
) -> dict[str, pd.DataFrame]:
    """Tables 1, 2, 5, 6 and 7 of document 000, its figures beside those of networks trained here.

    The document's flips never reached a network (they alter a transform that its loader does not
    use), so its tables 6 and 7 are table 5 with another seed. Its IoU is a bitwise AND over OR of
    grey values. Both are right here. Its map is the handout's; the class map stands beside it.

    Returns:
        "accuracy", a row a training of tables 1 and 2; and one table for each map, "handout map"
        and "class map": a row a class and the mean, columns for mode and threshold, each figure of
        the document beside the one measured here.
    """
    accuracies: dict[str, float] = {}
    epochs: dict[str, int] = {}
    tables = {}
    ious: dict[str, dict[str, pd.DataFrame]] = {"handout map": {}, "class map": {}}
    test = CamSeg(data, "test", sizes.size)
    tested = Subset(test, draw(len(test), sizes.test_images))
    for name, (objective, batch, lr) in tqdm(
        TRAININGS.items(), "trainings", unit="", disable=not progress
    ):
        run = folder / name.replace(", ", "-").replace(" ", "-")
        own = replace(sizes, batch_size=min(batch, sizes.batch_size), lr=lr)
        history, model = train_one(data, own, objective, seed, run, progress=progress)
        accuracies[name] = evaluate(model, tested).accuracy
        epochs[name] = int(best_row(history)["epoch"])
        for kind, table in source_ious(model, test, (175, 150, 125, 75)).items():
            ious[kind][name] = table
    tables["accuracy"] = pd.DataFrame(
        [
            (mode, batch, lr, accuracy, epoch, accuracies[name], epochs[name])
            for (mode, batch, lr, accuracy, epoch), name in zip(
                PUBLISHED_ACCURACY,
                ("CAM, 64, 0.0001", "CAM, 16, 0.0001", "CAM", "SEG"),
                strict=True,
            )
        ],
        columns=["mode", "batch", "lr", "000", "000 epoch", "here", "here epoch"],
    )
    for kind, found in ious.items():
        tables[kind] = _beside_published(found, test.classes)
    return tables


def _beside_published(found: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """IoU of the document and of networks trained here, by mode and threshold, and the means.

    The document's figures of single classes stand only beside the same classes.
    """
    columns: dict[str, list[float]] = {}
    for (mode, threshold), figures in PUBLISHED_IOU.items():
        mean = sum(figures) / len(figures)
        by_class = dict(zip(CLASSES, figures, strict=True))
        here = found[mode][threshold]
        columns[f"{mode} {threshold}, 000"] = [*(by_class.get(c, math.nan) for c in classes), mean]
        columns[f"{mode} {threshold}, here"] = [*here[list(classes)], here.mean()]
    return pd.DataFrame(columns, index=[*classes, "mean"])


def source_ious(
    model: nn.Module, test: CamSeg, thresholds: Sequence[int]
) -> dict[str, pd.DataFrame]:
    """IoU of the ten sources by class (row) and threshold (column), for either kind of map."""
    images, labels, masks = _sources(test)
    sizes = [(mask.shape[0], mask.shape[1]) for mask in masks]
    kinds = {
        "handout map": [
            seg_maps(model, image[None], size)[0] for image, size in zip(images, sizes, strict=True)
        ],
        "class map": [
            class_maps(model, image[None], label[None], size)[0]
            for image, label, size in zip(images, labels, sizes, strict=True)
        ],
    }
    names = [test.classes[label] for label in labels.tolist()]
    return {
        kind: iou_table(maps, masks, thresholds).set_axis(names) for kind, maps in kinds.items()
    }
