"""Training a small head on features of a frozen extractor, as lab 6 does.

The extractor learns nothing, so its features are computed once where the pictures stay the same,
and only the head is trained and saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from labkit.errors import InputError
from labkit.maps import enlarge, normalize
from labkit.maps.normalize import Normalization
from labkit.metrics import topk_hits
from labkit.models.recam import NaiveReCamHead, ReCamHead, recam_loss
from labkit.models.vgg import CamHead
from labkit.runs import save_checkpoint
from labkit.training.classifiers import Objective, classification
from labkit.training.state import as_found, batches_of, home_of

K = (1, 3, 5)


def make_head(
    network: str, n_classes: int, channels: int, how: Normalization | None = None
) -> CamHead:
    """A head by name: "cam", "recam" (the paper's) or "naive" (document 001's).

    Args:
        network: which.
        n_classes: number of classes N.
        channels: feature maps of the extractor.
        how: the normalisation of the maps that serve as weights; None for the network's own.

    Raises:
        InputError: there is no such head, or `how` is given for "cam", which weights nothing.
    """
    if network == "cam" and how is None:
        return CamHead(n_classes, channels)
    if network == "recam":
        return ReCamHead(n_classes, channels, how=how or "relu")
    if network == "naive":
        return NaiveReCamHead(n_classes, channels, how=how or "minmax")
    raise InputError(
        f"network={network!r} with how={how!r}, expected cam (without), recam or naive"
    )


def objective_of(head: CamHead) -> Objective:
    """What a head minimises: ReCAM its two losses, the others cross entropy."""
    return recam if isinstance(head, ReCamHead) else classification


def recam(model: nn.Module, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The objective of a `ReCamHead`, for `labkit.training.fit`."""
    assert isinstance(model, ReCamHead)
    output = model(features)
    rescores = model.reclassify(output, labels)
    return recam_loss(output.scores, rescores, labels).total, output.scores


def overfits(row: Mapping[str, float]) -> bool:
    """Document 001's rule to stop: the validation loss has passed twice the training loss."""
    return row["validation_loss"] > 2 * row["train_loss"]


class CrossEntropies:
    """A rule to stop that compares like with like, whatever the head minimises.

    Validation is by the cross entropy of the scores; ReCAM's training loss is another sum. So the
    cross entropy on training features is measured for the comparison.

    Args:
        head: the one that is trained.
        data: training features.
    """

    def __init__(self, head: CamHead, data: Dataset) -> None:
        self.head, self.data = head, data

    def __call__(self, row: Mapping[str, float]) -> bool:
        """Whether the training ends before this epoch."""
        losses, n = 0.0, 0
        with as_found(self.head, home_of(self.head)), torch.no_grad():
            self.head.eval()
            for features, labels in batches_of(self.data, 256):
                at = home_of(self.head)
                scores = self.head(features.to(at)).scores
                losses += F.cross_entropy(scores, labels.to(at), reduction="sum").item()
                n += len(labels)
        return overfits({**row, "train_loss": losses / n})


class KeepEpochs:
    """Measures top-k accuracy on held-out features after each epoch, and keeps the head's weights.

    Args:
        data: pairs (features, label).
        folder: for `epoch_01.pt` and so on; None keeps none.
        before: how many epochs have ended already, of a training that is resumed.
    """

    def __init__(self, data: Dataset, folder: Path | None = None, before: int = 0) -> None:
        self.data, self.folder, self.epoch = data, folder, before

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Figures of the epoch that has just ended, columns of the history."""
        self.epoch += 1
        if self.folder is not None:
            self.folder.mkdir(exist_ok=True)
            save_checkpoint(model.state_dict(), self.folder / f"epoch_{self.epoch:02d}.pt")
        hits, n = count_hits(model, self.data)
        return {f"validation_top{k}": hits[k] / n for k in K}


def count_hits(
    model: nn.Module, data: Dataset, k: Sequence[int] = K, batch_size: int = 64
) -> tuple[dict[int, int], int]:
    """How often the class is among the k best, for each k, and of how many: exact counts."""
    totals, n = dict.fromkeys(k, 0), 0
    with as_found(model, home_of(model)), torch.no_grad():
        model.eval()
        for features, labels in batches_of(data, batch_size):
            for name, count in topk_hits(
                model(features.to(home_of(model))).scores, labels, k
            ).items():
                totals[name] += count
            n += len(labels)
    return totals, n


def class_maps(
    head: CamHead,
    features: Tensor,
    labels: Tensor,
    size: tuple[int, int],
    how: Normalization = "relu",
) -> Tensor:
    """The head's map of one class for each image, normalised and enlarged.

    Args:
        head: any of the three; left as it was.
        features: of the frozen extractor, [B,C,h,w].
        labels: the class of each image, [B].
        size: (height, width) of the maps.
        how: how they come to [0, 1].

    Returns:
        Maps [B,height,width] in [0, 1].
    """
    with as_found(head, home_of(head)), torch.no_grad():
        output = head.eval()(features)
        return enlarge(normalize(head.class_map(output, labels), how), size)
