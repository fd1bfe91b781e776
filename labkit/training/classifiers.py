"""Training and evaluating networks that answer with `.scores`, such as `labkit.models.CamNet`.

A training can be stopped at any moment and goes on as if it had not been: its random numbers
follow from (seed, epoch) alone. What is lent to a function here comes back as it was (modes,
device, gradients, hooks, the global random state); only the weights have learnt.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm.auto import tqdm

from labkit.errors import InputError
from labkit.metrics import confusion_matrix, k_folds, pixel_accuracy
from labkit.training.state import (
    TrainingState,
    as_found,
    batches_of,
    best_row,
    check_finite,
    check_numbers,
    home_of,
    length_of,
    pick_device,
    random_numbers,
    settings_of,
    train_mode,
    trainable,
)

M = TypeVar("M", bound=nn.Module)

# (model, images [B,...], labels [B]) -> (loss to minimise, class scores of the images [B,N])
Objective = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
# What is measured after each epoch besides the usual, each figure a column of the history.
Measure = Callable[[nn.Module], Mapping[str, float]]
# Whether a training ends before the epoch of which this is the row: the epoch does not count.
Stop = Callable[[Mapping[str, float]], bool]


@dataclass(frozen=True)
class Evaluation:
    """How a network does on a data set.

    `loss` is the mean cross entropy, `accuracy` a share in [0, 1], `confusion` the counts
    int64 [N,N] with the truth in rows.
    """

    loss: float
    accuracy: float
    confusion: Tensor


@dataclass(frozen=True)
class CrossValidation:
    """The histories of k trainings, each with another fold held out."""

    histories: tuple[pd.DataFrame, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row a fold: its number, its best epoch, and loss and accuracy at that epoch."""
        best = pd.concat([best_row(history).to_frame().T for history in self.histories])
        table = best[["epoch", "validation_loss", "validation_accuracy"]].reset_index(drop=True)
        table.insert(0, "fold", range(1, len(table) + 1))
        return table.astype({"epoch": int}).rename(columns={"epoch": "best_epoch"})

    @property
    def mean(self) -> float:
        """Mean over the folds of the validation accuracy at the best epoch."""
        return float(self.table["validation_accuracy"].mean())

    @property
    def std(self) -> float:
        """Standard deviation over the folds of the same (of a sample: divided by k - 1)."""
        return float(self.table["validation_accuracy"].std(ddof=1))


def classification(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The objective of plain classification: cross entropy, and the scores it is taken of."""
    scores = _scores(model, images, labels)
    return F.cross_entropy(scores, labels), scores


def fit(
    model: nn.Module,
    train: Dataset,
    validation: Dataset,
    *,
    epochs: int,
    batch_size: int = 64,
    lr: float = 1e-3,
    criterion: str = "validation_accuracy",
    seed: int = 0,
    run: Path | str | None = None,
    resume: bool = False,
    progress: bool = True,
    device: torch.device | str | None = None,
    objective: Objective = classification,
    measure: Measure | None = None,
    stop: Stop | None = None,
) -> pd.DataFrame:
    """Train with Adam, by default on cross entropy; leave the weights of the best epoch in place.

    The best epoch has the highest validation accuracy, or what `criterion` says, the earliest of
    equals. Batches are cut to equal sizes, so 65 images make 33 and 32 rather than 64 and a lone
    one, whose batch norm would know a single image. Frozen parameters stay as they are, and so do
    the running statistics of batch norms that are frozen. An interrupted training, too, leaves the
    best weights so far.

    Args:
        model: gives an output with `.scores` [B,N] for images [B,...].
        train: pairs (image, label in 0..N-1).
        validation: the same, of other images; it chooses the epoch.
        epochs: passes over `train`, in all (also when resumed).
        batch_size: the most images a step may take.
        lr: Adam's learning rate.
        criterion: the column of the history whose highest value makes the best epoch.
        seed: decides the order of images, dropout and augmentation (the initial weights are the
            model's own).
        run: folder for `best.pt`, `last.pt` and `history.csv`, written after every epoch.
        resume: go on from `run/last.pt` where there is one. On a CPU the result is bit for bit
            that of an unbroken training.
        progress: show bars.
        device: where to compute; by default a GPU if there is one. The model returns afterwards.
        objective: what is minimised on each batch. Validation is always by cross entropy.
        measure: called with the model, in evaluation mode, after each epoch.
        stop: called with the row of each epoch from the second on, before `measure`; where it says
            yes, the training ends and that epoch is left out.

    Returns:
        One row an epoch: epoch, train_loss, train_accuracy (both while learning), validation_loss,
        validation_accuracy, seconds, and what `measure` gives.

    Raises:
        InputError: an argument cannot be used, the run does not belong to it, or the loss is no
            longer a number.
    """
    check_numbers(epochs=epochs, batch_size=batch_size, lr=lr, seed=seed)
    settings = settings_of(model, train, validation, batch_size, lr, seed)
    device = pick_device(device)
    with as_found(model, device):
        state = TrainingState(model, Adam(trainable(model), lr=lr), settings, criterion)
        state.open(None if run is None else Path(run), resume, epochs)
        rest = range(state.epoch + 1, epochs + 1)
        bar = tqdm(rest, "epochs", initial=state.epoch, total=epochs, unit="", disable=not progress)
        try:
            for epoch in bar:
                with random_numbers(seed, epoch) as generator:
                    batches = batches_of(train, batch_size, generator)
                    held_out = batches_of(validation, batch_size)
                    row = _epoch(state, epoch, batches, held_out, objective, progress)
                if stop is not None and epoch > 1 and stop(row):
                    break
                if measure is not None:
                    row |= measure(model)
                state.add(row)
                bar.set_postfix(_postfix(row))
        finally:
            state.restore_best()
            model.zero_grad(set_to_none=True)
    return state.table


def evaluate(
    model: nn.Module,
    dataset: Dataset,
    *,
    batch_size: int = 64,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> Evaluation:
    """Loss, accuracy and confusion matrix of a network in evaluation mode; it learns nothing.

    Raises:
        InputError: an argument cannot be used, the data set is empty or has labels that the
            network has no score for.
    """
    check_numbers(batch_size=batch_size)
    with as_found(model, pick_device(device)):
        return _evaluate(model, batches_of(dataset, batch_size), progress)


def cross_validate(
    make_model: Callable[[], nn.Module],
    dataset: Dataset,
    *,
    k: int = 5,
    epochs: int,
    batch_size: int = 64,
    lr: float = 1e-3,
    seed: int = 0,
    run: Path | str | None = None,
    resume: bool = False,
    progress: bool = True,
    device: torch.device | str | None = None,
    objective: Objective = classification,
) -> CrossValidation:
    """Train k fresh models, each without one fold, which chooses its epoch and measures it.

    The accuracy is that of the epoch which the same fold chose, so it is slightly flattering;
    what a model is worth is for the test set to say, which does not belong in here.

    Args:
        make_model: gives a new model at every call; it is called under a seed of its own.
        dataset: training images, pairs (image, label).
        k: number of folds.
        run: folder for `fold1` to `foldk`, each a run of its own.
        resume: take over finished folds and go on with the one that was interrupted.
        epochs, batch_size, lr, seed, progress, device, objective: as for `fit`.

    Raises:
        InputError: an argument cannot be used, `make_model` gives one model twice, or what `fit`
            raises.
    """
    check_numbers(epochs=epochs, batch_size=batch_size, lr=lr, seed=seed)
    folds = k_folds(length_of(dataset), k, seed)
    if build(make_model, seed) is build(make_model, seed):
        raise InputError(
            "make_model gives the same model twice, so a fold would be validated by a model that "
            "has seen it: pass a function that builds a new one, for instance `lambda: CamNet(10)`"
        )
    histories = []
    bar = tqdm(folds, "folds", unit="", disable=not progress)
    for number, (training, held_out) in enumerate(bar, start=1):
        history = fit(
            build(make_model, seed, number),
            Subset(dataset, training.tolist()),
            Subset(dataset, held_out.tolist()),
            epochs=epochs,
            batch_size=batch_size,
            lr=lr,
            seed=seed,
            run=None if run is None else Path(run) / f"fold{number}",
            resume=resume,
            progress=progress,
            device=device,
            objective=objective,
        )
        histories.append(history)
    return CrossValidation(tuple(histories))


def build(make_model: Callable[[], M], seed: int, fold: int = 0) -> M:
    """Build a model whose initial weights follow from (seed, fold); global states stay."""
    with random_numbers(seed, 0, fold):
        return make_model()


def _epoch(
    state: TrainingState,
    epoch: int,
    train: DataLoader,
    validation: DataLoader,
    objective: Objective,
    progress: bool,
) -> dict[str, float]:
    """Learn from every batch once, then validate: one row of the history."""
    start = time.perf_counter()
    train_loss, train_accuracy = _learn(state, epoch, train, objective, progress)
    validated = _evaluate(state.model, validation)
    check_finite(validated.loss, f"the validation of epoch {epoch}", state)
    return {
        "epoch": epoch,
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "validation_loss": validated.loss,
        "validation_accuracy": validated.accuracy,
        "seconds": time.perf_counter() - start,
    }


def _learn(
    state: TrainingState, epoch: int, batches: DataLoader, objective: Objective, progress: bool
) -> tuple[float, float]:
    """One step of the optimizer a batch; mean loss and accuracy over the images as they came."""
    train_mode(state.model)
    total_loss, hits, seen = 0.0, 0, 0
    bar = tqdm(batches, f"epoch {epoch}", leave=False, unit="batch", disable=not progress)
    for images, labels in bar:
        images, labels = _at_home(state.model, images, labels)
        loss, scores = objective(state.model, images, labels)
        check_finite(loss.item(), f"epoch {epoch}", state)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()
        total_loss += loss.item() * len(labels)
        hits += int((scores.argmax(1) == labels).sum())
        seen += len(labels)
        bar.set_postfix(loss=f"{total_loss / seen:.3f}", accuracy=f"{hits / seen:.3f}")
    return total_loss / seen, hits / seen


def _evaluate(model: nn.Module, batches: DataLoader, progress: bool = False) -> Evaluation:
    model.eval()
    losses, counts = [], []
    with torch.no_grad():
        for images, labels in tqdm(batches, "evaluating", leave=False, disable=not progress):
            images, labels = _at_home(model, images, labels)
            scores = _scores(model, images, labels)
            losses.append(F.cross_entropy(scores, labels, reduction="sum").item())
            counts.append(confusion_matrix(labels, scores.argmax(1), scores.shape[1]).cpu())
    confusion = torch.stack(counts).sum(0)
    return Evaluation(
        math.fsum(losses) / int(confusion.sum()), pixel_accuracy(confusion), confusion
    )


def _at_home(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """A batch on the model's device."""
    return images.to(device := home_of(model)), labels.to(device)


def _scores(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Class scores [B,N] of a batch, whose labels must be among the N classes."""
    output = model(images)
    if not hasattr(output, "scores"):
        raise InputError(
            f"the model gives a {type(output).__name__}, expected an output with `.scores`, such "
            "as labkit.models.CamOutput(scores, features, pooled)"
        )
    scores: Tensor = output.scores
    if scores.ndim != 2 or len(scores) != len(labels):
        raise InputError(
            f"the model's scores are {list(scores.shape)} for {len(labels)} images, expected "
            f"[{len(labels)},N]"
        )
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise InputError(
            f"labels reach from {int(labels.min())} to {int(labels.max())}, expected "
            f"0..{scores.shape[1] - 1}: the model has {scores.shape[1]} classes"
        )
    return scores


def _postfix(row: Mapping[str, float]) -> dict[str, str]:
    return {
        "loss": f"{row['validation_loss']:.3f}",
        "accuracy": f"{row['validation_accuracy']:.3f}",
    }
