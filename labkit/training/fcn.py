"""Training and evaluating networks that score every pixel, such as `labkit.models.FCN8s`.

The trainer of document 003: cross entropy over the pixels that have a label, Adam with weight
decay, and the epoch of the highest mean IoU on the validation set. It shares its habits with
`labkit.training`: a training can be stopped at any moment and goes on as if it had not been, and
what is lent comes back as it was.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from labkit.errors import InputError
from labkit.metrics import class_iou, confusion_matrix, mean_iou, pixel_accuracy
from labkit.training.state import (
    TrainingState,
    as_found,
    batches_of,
    check_finite,
    check_numbers,
    home_of,
    pick_device,
    random_numbers,
    settings_of,
    train_mode,
    trainable,
)

COLUMNS = (
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "validation_mean_iou",
    "seconds",
)
CRITERION = "validation_mean_iou"
LR, WEIGHT_DECAY = 1e-4, 2e-5  # of document 003's public code


@dataclass(frozen=True)
class Evaluation:
    """How a network labels a data set.

    `loss` is the mean cross entropy over the pixels that have a label, `confusion` their counts
    int64 [N,N] with the truth in rows.
    """

    loss: float
    confusion: Tensor

    @property
    def accuracy(self) -> float:
        """Share of pixels whose label is right."""
        return pixel_accuracy(self.confusion)

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that occur in truth or prediction."""
        return mean_iou(self.confusion)

    @property
    def class_iou(self) -> Tensor:
        """IoU of each class [N], NaN where it occurs in neither."""
        return class_iou(self.confusion)


def fit(
    model: nn.Module,
    train: Dataset,
    validation: Dataset,
    *,
    epochs: int,
    batch_size: int = 1,
    lr: float = LR,
    weight_decay: float = WEIGHT_DECAY,
    seed: int = 0,
    run: Path | str | None = None,
    resume: bool = False,
    progress: bool = True,
    device: torch.device | str | None = None,
) -> pd.DataFrame:
    """Train with Adam and cross entropy; leave the weights of the best epoch in the model.

    The best epoch has the highest mean IoU on `validation`, the earliest of equals.

    Args:
        model: gives scores [B,N,H,W] for images [B,3,H,W].
        train: pairs (image [3,H,W], labels [H,W]); negative labels are ignored.
        validation: the same, of other images; it chooses the epoch.
        epochs: passes over `train`, in all (also when resumed).
        batch_size: the most images of a step; pictures of different sizes want 1.
        lr: Adam's learning rate.
        weight_decay: Adam's.
        seed: decides the order of images and dropout (initial weights are the model's own).
        run: folder for `best.pt`, `last.pt` and `history.csv`, written after every epoch.
        resume: go on from `run/last.pt` where there is one.
        progress: show bars.
        device: where to compute; by default a GPU if there is one. The model returns afterwards.

    Returns:
        One row an epoch: epoch, train_loss (while learning), validation_loss,
        validation_accuracy, validation_mean_iou, seconds.

    Raises:
        InputError: an argument cannot be used, the run does not belong to it, images of a batch
            differ in size, or the loss is no longer a number.
    """
    check_numbers(epochs=epochs, batch_size=batch_size, lr=lr, seed=seed)
    if not (math.isfinite(weight_decay) and weight_decay >= 0):
        raise InputError(f"the weight decay is {weight_decay}, expected a number of at least 0")
    settings = {
        **settings_of(model, train, validation, batch_size, lr, seed),
        "weight decay": weight_decay,
    }
    device = pick_device(device)
    with as_found(model, device):
        optimizer = Adam(trainable(model), lr=lr, weight_decay=weight_decay)
        state = TrainingState(model, optimizer, settings, CRITERION)
        state.open(None if run is None else Path(run), resume, epochs)
        rest = range(state.epoch + 1, epochs + 1)
        bar = tqdm(rest, "epochs", initial=state.epoch, total=epochs, unit="", disable=not progress)
        try:
            for epoch in bar:
                with random_numbers(seed, epoch) as generator:
                    batches = _batches(train, batch_size, generator)
                    row = _epoch(state, epoch, batches, _batches(validation, 1), progress)
                state.add(row)
                bar.set_postfix(mean_iou=f"{row[CRITERION]:.3f}", loss=f"{row['train_loss']:.3f}")
        finally:
            state.restore_best()
            model.zero_grad(set_to_none=True)
    return state.table


def evaluate(
    model: nn.Module,
    dataset: Dataset,
    *,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> Evaluation:
    """Loss and confusion matrix of a network in evaluation mode, image by image.

    Raises:
        InputError: the data set is empty, or has labels that the network has no score for.
    """
    with as_found(model, pick_device(device)):
        return _evaluate(model, _batches(dataset, 1), progress)


def predict(model: nn.Module, images: Sequence[Tensor]) -> list[Tensor]:
    """The label of the highest score at every pixel of images [3,H,W]: int64 [H,W] each.

    The model is used in evaluation mode where it is, and left as it was.
    """
    device = home_of(model)
    with as_found(model, device), torch.no_grad():
        model.eval()
        return [model(image[None].to(device)).argmax(1)[0].cpu() for image in images]


def majority(dataset: Dataset, test: Dataset, n_classes: int) -> Evaluation:
    """What one gets by giving every pixel of `test` the commonest class of `dataset`.

    Its loss is not a number: it gives labels and no scores.
    """
    counts = torch.zeros(n_classes, dtype=torch.long)
    for _, labels in _batches(dataset, 1):
        counts += torch.bincount(labels[labels >= 0], minlength=n_classes)
    commonest = int(counts.argmax())
    confusion = torch.zeros(n_classes, n_classes, dtype=torch.long)
    for _, labels in _batches(test, 1):
        confusion += confusion_matrix(labels, torch.full_like(labels, commonest), n_classes)
    return Evaluation(math.nan, confusion)


def _epoch(
    state: TrainingState, epoch: int, train: DataLoader, validation: DataLoader, progress: bool
) -> dict[str, float]:
    """Learn from every batch once, then validate: one row of the history."""
    start = time.perf_counter()
    train_loss = _learn(state, epoch, train, progress)
    validated = _evaluate(state.model, validation)
    check_finite(validated.loss, f"the validation of epoch {epoch}", state)
    return {
        "epoch": epoch,
        "train_loss": train_loss,
        "validation_loss": validated.loss,
        "validation_accuracy": validated.accuracy,
        CRITERION: validated.mean_iou,
        "seconds": time.perf_counter() - start,
    }


def _learn(state: TrainingState, epoch: int, batches: DataLoader, progress: bool) -> float:
    """One step of the optimizer a batch; the mean loss over the pixels as they came."""
    train_mode(state.model)
    total, pixels = 0.0, 0
    bar = tqdm(batches, f"epoch {epoch}", leave=False, unit="batch", disable=not progress)
    for images, labels in bar:
        scores, labels = _scores(state.model, images, labels)
        n = int((labels >= 0).sum())
        if not n:
            continue
        loss = F.cross_entropy(scores, labels, ignore_index=-1)
        check_finite(loss.item(), f"epoch {epoch}", state)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()
        total, pixels = total + loss.item() * n, pixels + n
        bar.set_postfix(loss=f"{total / pixels:.3f}")
    if not pixels:
        raise InputError("no pixel of the training images has a label from 0 on")
    return total / pixels


def _evaluate(model: nn.Module, batches: DataLoader, progress: bool = False) -> Evaluation:
    model.eval()
    losses, confusion = [], None
    with torch.no_grad():
        for images, labels in tqdm(batches, "evaluating", leave=False, disable=not progress):
            scores, labels = _scores(model, images, labels)
            losses.append(F.cross_entropy(scores, labels, ignore_index=-1, reduction="sum").item())
            counts = confusion_matrix(labels, scores.argmax(1), scores.shape[1]).cpu()
            confusion = counts if confusion is None else confusion + counts
    if confusion is None or not confusion.any():
        raise InputError("no pixel of the images has a label from 0 on")
    return Evaluation(math.fsum(losses) / int(confusion.sum()), confusion)


def _scores(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [B,N,H,W], and labels [B,H,W] with every negative one as -1, on one device."""
    scores = model(images.to(device := home_of(model)))
    like = (len(images), *labels.shape[1:])
    if not isinstance(scores, Tensor) or (*scores.shape[:1], *scores.shape[2:]) != like:
        found = list(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise InputError(
            f"the model gives {found} for labels {list(labels.shape)}, expected scores [B,N,H,W]"
        )
    if labels.max() >= scores.shape[1]:
        raise InputError(
            f"labels reach {int(labels.max())}, expected at most {scores.shape[1] - 1}: the model "
            f"has {scores.shape[1]} classes"
        )
    return scores, labels.to(device).clamp_min(-1)


def _batches(
    dataset: Dataset, batch_size: int, generator: torch.Generator | None = None
) -> DataLoader:
    return batches_of(dataset, batch_size, generator, collate=_stack)


def _stack(samples: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*samples, strict=True)
    if len({image.shape for image in images}) > 1:
        (_, a, b), (_, c, d) = sorted({tuple(image.shape) for image in images})[:2]
        raise InputError(
            f"images of {a}x{b} and {c}x{d} pixels cannot go into one batch: pass batch_size=1, "
            "or give the data set a size"
        )
    return torch.stack(images), torch.stack(labels)
