"""Finding defects on surfaces: few defective ones to learn from, and only "defect" to learn.

What document 004 does and leaves out: a loss in which both classes weigh the same, seeds for
F-CAM's decoder, its training, how long a network takes, and maps cut into masks.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from labkit.data import Dagm
from labkit.errors import InputError
from labkit.metrics import confusion_matrix, iou, pixel_accuracy, precision, recall, roc_auc
from labkit.training import Measure, Objective
from labkit.training.pixels import IGNORED, Targets, fit_pixels
from labkit.training.state import as_found, batches_of, home_of

DEFECT = 1  # the label of a defective surface
THRESHOLDS = tuple(round(0.05 * n, 2) for n in range(1, 20))  # of maps in [0, 1]
CRITERION = "validation_balanced_accuracy"


def class_weights(labels: Tensor) -> Tensor:
    """Weights with which every class counts the same: n / (N n_c), float32 [N].

    Args:
        labels: [n], in 0..N-1.

    Raises:
        InputError: a class does not occur.
    """
    counts = torch.bincount(labels)
    if not len(labels) or not counts.all() or len(counts) < 2:
        raise InputError(
            f"the classes occur {counts.tolist()} times, expected each of at least two to occur"
        )
    return len(labels) / (len(counts) * counts).float()


def balanced(labels: Tensor, flips: bool = True) -> Objective:
    """An objective for `labkit.training.fit`: cross entropy in which both classes weigh the same.

    Args:
        labels: those of the training images, which give the weights.
        flips: mirror each batch at random, across and along; a surface has no right way up.

    Raises:
        InputError: a class does not occur.
    """
    weights = class_weights(labels)

    def objective(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        turned = torch.rand(2) < 0.5
        if flips:
            images = images.flip([axis for axis, turn in ((2, turned[0]), (3, turned[1])) if turn])
        scores: Tensor = model(images).scores
        return F.cross_entropy(scores, labels, weight=weights.to(scores)), scores

    return objective


class Found(NamedTuple):
    """How a classifier finds defects. `scores` [n] are differences, defect minus good."""

    confusion: Tensor
    scores: Tensor
    labels: Tensor

    def figures(self) -> dict[str, float]:
        """Accuracy, ROC-AUC from scores, precision and recall of the class "defect".

        The last two, of the class "good" and an area from hard labels, are what document 004
        prints as precision, recall and AUC.
        """
        hard = (self.scores > 0).long()
        return {
            "accuracy": pixel_accuracy(self.confusion),
            "roc_auc": roc_auc(self.labels, self.scores),
            "precision": precision(self.confusion, DEFECT),
            "recall": recall(self.confusion, DEFECT),
            "precision_of_good": precision(self.confusion, 0),
            "auc_of_labels": roc_auc(self.labels, hard),
        }


def find(model: nn.Module, dataset: Dataset, batch_size: int = 64) -> Found:
    """Scores and confusion matrix of a classifier in evaluation mode; it learns nothing.

    Raises:
        InputError: the data set is empty, or the model has not two classes.
    """
    device = home_of(model)
    scores, labels = [], []
    with as_found(model, device), torch.no_grad():
        model.eval()
        for images, truth in batches_of(dataset, batch_size):
            found = model(images.to(device)).scores.cpu()
            if found.ndim != 2 or found.shape[1] != 2:
                raise InputError(f"the model's scores are {list(found.shape)}, expected [B,2]")
            scores.append(found[:, 1] - found[:, 0])
            labels.append(truth)
    score, label = torch.cat(scores), torch.cat(labels)
    return Found(confusion_matrix(label, (score > 0).long(), 2), score, label)


class Timing(NamedTuple):
    """Seconds that one call took: mean and standard deviation, of so many calls."""

    mean: float
    std: float
    calls: int


def balanced_accuracy(dataset: Dataset) -> Measure:
    """What chooses the epoch: the mean of both classes' recall on a data set.

    Accuracy would not do, since "good" everywhere is right about six surfaces of seven. ROC-AUC
    would not do alone: it does not see that a network says "defect" everywhere.
    """

    def measure(model: nn.Module) -> dict[str, float]:
        cm = find(model, dataset).confusion
        return {CRITERION: (recall(cm, 0) + recall(cm, DEFECT)) / 2}

    return measure


def inference_time(
    model: nn.Module, images: Tensor, *, calls: int = 20, warm_up: int = 5
) -> Timing:
    """How long a network takes for a batch, after calls that do not count.

    The first calls allocate memory, choose algorithms and fill caches; document 004 counts them.

    Args:
        model: in evaluation mode while it is timed; left as it was.
        images: [B,3,H,W] on the model's device.
        calls: how many are timed.
        warm_up: how many go before.

    Raises:
        InputError: fewer than two calls, which have no spread, or a negative number before.
    """
    if calls < 2 or warm_up < 0:
        raise InputError(f"calls={calls} and warm_up={warm_up}, expected at least 2 and 0")
    seconds = []
    with as_found(model, home_of(model)), torch.no_grad():
        model.eval()
        for n in range(warm_up + calls):
            start = time.perf_counter()
            model(images)
            if images.is_cuda:
                torch.cuda.synchronize(images.device)
            if n >= warm_up:
                seconds.append(time.perf_counter() - start)
    return Timing(statistics.fmean(seconds), statistics.stdev(seconds), calls)


def sample_seeds(
    maps: Tensor,
    n: int,
    generator: torch.Generator,
    *,
    top: float = 0.02,
    bottom: float = 0.6,
) -> Tensor:
    """Draw pixels that are probably defect, and pixels that are probably not, from maps.

    Defect seeds are drawn from the highest `top` of the pixels, each in proportion to its value, so
    that the brightest come most often; background seeds from the lowest `bottom`, all alike. The
    rest says nothing. F-CAM draws anew at every step, so that no single pixel is believed for long.

    Args:
        maps: values of at least 0, [B,H,W]; a pixel of 0 is never a defect seed.
        n: seeds of each kind and map, at most; fewer where there are not so many pixels.
        generator: of the draws.
        top: share of the pixels, the highest, that may be defect seeds.
        bottom: share of the pixels, the lowest, that may be background seeds.

    Returns:
        int64 [B,H,W]: 1 defect, 0 background, -1 no seed.

    Raises:
        InputError: the maps are not [B,H,W] or hold what is no number or below 0, or the shares
            overlap.

    Source: Belharbi et al., "F-CAM", WACV 2022, section 3.
    """
    if maps.ndim != 3 or not bool((maps >= 0).all()) or not bool(maps.isfinite().all()):
        raise InputError(
            f"maps are {list(maps.shape)}, expected [B,H,W] of finite values of at least 0: see "
            "labkit.maps.normalize"
        )
    if n < 1 or min(top, bottom) <= 0 or top + bottom > 1:
        raise InputError(
            f"n={n}, top={top}, bottom={bottom}, expected at least one seed, and two positive "
            "shares of together at most 1"
        )
    flat = maps.flatten(1)
    size = flat.shape[1]
    seeds = torch.full_like(flat, IGNORED, dtype=torch.long)
    order = flat.argsort(dim=1, stable=True)
    for values, ranked, row in zip(flat, order, seeds, strict=True):
        low = ranked[: max(1, round(bottom * size))]
        high = ranked[-max(1, round(top * size)) :]
        high = high[values[high] > 0]
        row[low[torch.randperm(len(low), generator=generator)[:n]]] = 0
        if len(high):
            drawn = torch.multinomial(values[high], min(n, len(high)), generator=generator)
            row[high[drawn]] = DEFECT
    return seeds.view(maps.shape)


def seeds_from(maps: Tensor, labels: Tensor, n: int = 10) -> Targets:
    """Targets for F-CAM's decoder: seeds drawn anew from a classifier's maps at every step.

    Good surfaces have background seeds only, wherever they were drawn: their label says so. No
    mask takes part.

    Args:
        maps: of the class "defect", in [0, 1], [n,H,W].
        labels: 0 good, 1 defect, [n].
        n: seeds of each kind and surface.
    """

    def targets(batch: Tensor, generator: torch.Generator) -> Tensor:
        drawn = sample_seeds(maps[batch], n, generator)
        good = (labels[batch] != DEFECT)[:, None, None]
        return torch.where(good & (drawn == DEFECT), 0, drawn)

    return targets


def fit_segnet(model: nn.Module, images: Tensor, masks: Tensor, **settings: Any) -> pd.DataFrame:
    """Train on true masks, the supervised baseline: both classes of pixels weigh the same.

    Args:
        model: images [B,3,H,W] to scores [B,2,H,W].
        images: defective surfaces, [n,3,H,W].
        masks: where their defects are, bool [n,H,W].
        settings: epochs, batch_size, lr and seed of `fit_pixels`.
    """
    labels = masks.long()
    return fit_pixels(
        model,
        images,
        lambda batch, generator: labels[batch],
        weight=class_weights(labels.flatten()),
        **settings,
    )


def pixel_maps(model: nn.Module, images: Tensor) -> Tensor:
    """The probability of "defect" at every pixel, [B,H,W], of a network that scores pixels."""
    with as_found(model, images.device), torch.no_grad():
        model.eval()
        maps: Tensor = model(images).softmax(dim=1)[:, DEFECT]
        return maps


def defective(surfaces: Dagm) -> list[int]:
    """Which surfaces have a defect."""
    return [int(i) for i in torch.nonzero(surfaces.labels == DEFECT)[:, 0]]


def threshold_table(
    maps: Sequence[Tensor], masks: Sequence[np.ndarray], thresholds: Sequence[float] = THRESHOLDS
) -> pd.Series:
    """Mean IoU of maps with masks at each threshold; a pixel is in the cut from it on.

    Args:
        maps: values in [0, 1], [H,W] each.
        masks: true masks, [H,W] each.
        thresholds: where to cut.

    Raises:
        InputError: there are no maps.
    """
    if not len(maps):
        raise InputError("there are no maps, expected at least one of a defective surface")
    return pd.Series(
        {
            threshold: statistics.fmean(
                iou(map >= threshold, mask) for map, mask in zip(maps, masks, strict=True)
            )
            for threshold in thresholds
        },
        name="mean_iou",
    )
