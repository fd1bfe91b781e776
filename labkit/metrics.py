"""Figures of merit, from counts: every one of them is exact and can be checked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labkit.errors import InputError
from labkit.folds import k_folds

__all__ = [
    "class_iou",
    "confusion_matrix",
    "iou",
    "k_folds",
    "mean_iou",
    "pixel_accuracy",
    "precision",
    "recall",
    "roc_auc",
    "topk_accuracy",
    "topk_hits",
]

Array = Tensor | NDArray


def iou(a: Array, b: Array) -> float:
    """Intersection over union of two binary masks, counted in pixels over the whole arrays.

    A mask is boolean, or holds 0 and 1, or 0 and 255, in any dtype; what is not 0 is foreground.
    Anything else is refused rather than cut somewhere: the overlap of grey values is not an IoU.

    Args:
        a, b: masks of the same shape, torch or NumPy; they may differ in dtype.

    Returns:
        A number in [0, 1]. Two empty masks agree: 1. One empty mask: 0.

    Raises:
        InputError: the shapes differ, or an array is not a binary mask.
    """
    first = _foreground(a, "a")
    second = _foreground(b, "b").to(first.device)
    if first.shape != second.shape:
        raise InputError(
            f"the masks are {list(first.shape)} and {list(second.shape)}, expected one shape: "
            "enlarge the map to the size of the true mask before the threshold"
        )
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0


def _foreground(mask: Array, name: str) -> Tensor:
    values = _tensor(mask)
    if values.dtype == torch.bool:
        return values
    if not any(((values == 0) | (values == one)).all() for one in (1, 255)):
        raise InputError(
            f"mask {name} ({values.dtype}) holds values besides 0 and 1, or 0 and 255: "
            "apply a threshold first, for instance `map > 0.5`"
        )
    return values != 0


def confusion_matrix(truth: Array, prediction: Array, n_classes: int) -> Tensor:
    """Count how often class i (row, the truth) was taken for class j (column).

    Args:
        truth: integer labels of any shape; those outside 0..N-1 are ignored.
        prediction: integer labels of the same shape, all within 0..N-1.
        n_classes: number of classes N.

    Returns:
        Counts, int64 [N,N]. Matrices of several batches may be added.

    Raises:
        InputError: the shapes differ, labels are not integers, or a prediction is no class.
    """
    truth, prediction = _labels(truth, "truth"), _labels(prediction, "prediction")
    prediction = prediction.to(truth.device)
    if truth.shape != prediction.shape:
        raise InputError(
            f"truth is {list(truth.shape)} and prediction {list(prediction.shape)}, expected one "
            "shape: turn scores into labels with `scores.argmax(dim=1)`"
        )
    if not truth.numel():
        return torch.zeros(n_classes, n_classes, dtype=torch.long, device=truth.device)
    lowest, highest = (int(extreme) for extreme in prediction.aminmax())
    if lowest < 0 or highest >= n_classes:
        raise InputError(
            f"prediction holds {lowest if lowest < 0 else highest}, expected classes "
            f"0..{n_classes - 1}: does n_classes match the network?"
        )
    # Labels below and above the classes get a row of their own on either side, which is left out.
    rows = truth.clamp(-1, n_classes).add_(1)
    cells = torch.add(prediction, rows, alpha=n_classes).ravel()
    counts = torch.bincount(cells, minlength=n_classes * (n_classes + 2))
    return counts.reshape(n_classes + 2, n_classes)[1:-1].clone()


def class_iou(cm: Tensor) -> Tensor:
    """IoU of each class: diagonal / (row + column - diagonal).

    Args:
        cm: confusion matrix [N,N], rows are the truth.

    Returns:
        float64 [N]; NaN for a class that occurs neither in the truth nor in the prediction.
    """
    cm = _counts(cm)
    hits = cm.diagonal()
    return hits / (cm.sum(1) + cm.sum(0) - hits)


def mean_iou(cm: Tensor) -> float:
    """Mean of `class_iou` over the classes that occur in the truth or in the prediction.

    Raises:
        InputError: the matrix is not square, or counts nothing.
    """
    return float(class_iou(cm).nanmean())


def pixel_accuracy(cm: Tensor) -> float:
    """Share of what was counted that lies on the diagonal of a confusion matrix [N,N].

    Raises:
        InputError: the matrix is not square, or counts nothing.
    """
    cm = _counts(cm)
    return float(cm.diagonal().sum() / cm.sum())


def _counts(cm: Tensor) -> Tensor:
    if cm.ndim != 2 or cm.shape[0] != cm.shape[1]:
        raise InputError(f"the confusion matrix is {list(cm.shape)}, expected [N,N]")
    if not cm.any():
        raise InputError("the confusion matrix counts nothing: is every label outside 0..N-1?")
    return cm.double()


def topk_accuracy(scores: Tensor, labels: Tensor, k: Sequence[int] = (1, 3, 5)) -> dict[int, float]:
    """Share of samples whose class is among the k highest scores, for each k.

    Args:
        scores, labels, k: as for `topk_hits`.

    Returns:
        {k: share in [0, 1]}.

    Raises:
        InputError: shapes, labels or k do not fit, or a score is NaN.
    """
    return {n: count / len(scores) for n, count in topk_hits(scores, labels, k).items()}


def topk_hits(scores: Tensor, labels: Tensor, k: Sequence[int] = (1, 3, 5)) -> dict[int, int]:
    """How many samples have their class among the k highest scores, for each k.

    Counts of several batches may be added; shares of batches of different sizes may not.

    Classes of equal score rank by their number, the lower first, as for `argmax`. So a network
    that answers the same for every class is right about class 0 and about nothing else.

    Args:
        scores: class scores [B,N], in any order-preserving unit.
        labels: true classes [B], in 0..N-1.
        k: how many classes may be named, each in 1..N.

    Returns:
        {k: count in 0..B}.

    Raises:
        InputError: shapes, labels or k do not fit, or a score is NaN.
    """
    _check_scores(scores, labels, k)
    labels = labels.long().to(scores.device).unsqueeze(1)
    own = scores.gather(1, labels)
    earlier = torch.arange(scores.shape[1], device=scores.device) < labels
    rank = ((scores > own) | ((scores == own) & earlier)).sum(1)
    return {n: int((rank < n).sum()) for n in k}


def _check_scores(scores: Tensor, labels: Tensor, k: Sequence[int]) -> None:
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(scores):
        raise InputError(
            f"scores is {list(scores.shape)} and labels {list(labels.shape)}, expected [B,N] and "
            "[B] with B at least 1"
        )
    n_classes = scores.shape[1]
    if _labels(labels, "labels").min() < 0 or labels.max() >= n_classes:
        raise InputError(
            f"labels reach from {int(labels.min())} to {int(labels.max())}, expected "
            f"0..{n_classes - 1} for scores {list(scores.shape)}"
        )
    if not all(1 <= n <= n_classes for n in k):
        raise InputError(f"k={tuple(k)}, expected numbers from 1 to {n_classes}, the classes")
    if scores.isnan().any():
        raise InputError("a score is NaN: the network that gave it has diverged")


def _labels(labels: Array, name: str) -> Tensor:
    values = _tensor(labels)
    if values.is_floating_point() or values.is_complex():
        raise InputError(f"{name} is {values.dtype}, expected integer labels")
    return values.long()


def _tensor(values: Array) -> Tensor:
    # The copy is for arrays that torch cannot share: flipped ones, and those of pictures.
    return values if isinstance(values, Tensor) else torch.from_numpy(np.array(values))


def precision(cm: Tensor, positive: int) -> float:
    """Share of what was taken for a class that is of that class: diagonal / column.

    Name the class that is looked for. In a set of many good pieces and few defective ones, the
    precision of "good" says next to nothing about the defects.

    Args:
        cm: confusion matrix [N,N], rows are the truth.
        positive: the class, in 0..N-1.

    Returns:
        A number in [0, 1]; NaN where nothing was taken for the class.

    Raises:
        InputError: the matrix is not square or counts nothing, or the class is not in it.
    """
    return float(_one_class(cm, positive) / _counts(cm)[:, positive].sum())


def recall(cm: Tensor, positive: int) -> float:
    """Share of a class that was taken for it: diagonal / row.

    Args:
        cm: confusion matrix [N,N], rows are the truth.
        positive: the class, in 0..N-1.

    Returns:
        A number in [0, 1]; NaN where the class does not occur.

    Raises:
        InputError: the matrix is not square or counts nothing, or the class is not in it.
    """
    return float(_one_class(cm, positive) / _counts(cm)[positive].sum())


def _one_class(cm: Tensor, positive: int) -> Tensor:
    counts = _counts(cm)
    if not 0 <= positive < len(counts):
        raise InputError(f"positive={positive}, expected a class of 0..{len(counts) - 1}")
    return counts[positive, positive]


def roc_auc(truth: Array, scores: Array) -> float:
    """Area under the ROC curve: how often a positive has a higher score than a negative.

    Every pair of a positive and a negative counts 1 if the positive's score is the higher one, one
    half if both are equal, else 0; the area is the mean. Give it scores: of hard labels, 0 and 1,
    most pairs are equal, and the area is only (recall + specificity) / 2.

    Args:
        truth: [n], 0 or 1.
        scores: [n], of the positive class, in any order-preserving unit.

    Returns:
        A number in [0, 1]; one half is chance.

    Raises:
        InputError: the shapes differ, a class is missing, truth is not 0 and 1, or a score is NaN.
    """
    positive, values = _labels(truth, "truth"), _tensor(scores).double()
    if positive.ndim != 1 or positive.shape != values.shape:
        raise InputError(
            f"truth is {list(positive.shape)} and scores {list(values.shape)}, expected [n] both: "
            "pass the score of the positive class alone"
        )
    if set(positive.unique().tolist()) != {0, 1}:
        raise InputError(
            f"truth holds {positive.unique().tolist()}, expected 0 and 1, and some of each"
        )
    if values.isnan().any():
        raise InputError("a score is NaN: the network that gave it has diverged")
    lower, higher = values[positive == 0].sort().values, values[positive == 1]
    below = torch.searchsorted(lower, higher)
    not_above = torch.searchsorted(lower, higher, right=True)
    return float((below + not_above).double().mean() / (2 * len(lower)))
