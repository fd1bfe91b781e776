"""A feature extractor, trained where none is to be had, and the features it gives."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm.auto import tqdm

from labkit import runs
from labkit.data import other_flowers
from labkit.models.extractors import channels_of, freeze, vgg_features
from labkit.training.state import as_found, home_of, pick_device, random_numbers


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


def kept_extractor(
    path: Path,
    width: float,
    size: int,
    images: int,
    epochs: int,
    seed: int = 0,
    progress: bool = True,
) -> nn.Module:
    """`train_extractor`, once: its weights are kept in a file and read from there ever after.

    Args:
        path: the file, whose folder is there.
        width, size, images, epochs, seed, progress: as for `train_extractor`.
    """
    if not path.exists():
        made = train_extractor(width, size, images, epochs, seed, progress=progress)
        runs.save_checkpoint(made.state_dict(), path)
    return load_extractor(path, width)


def load_extractor(path: Path, width: float) -> nn.Module:
    """A frozen extractor from the weights that `kept_extractor` wrote.

    Raises:
        InputError: the file is missing or damaged.
    """
    extractor = vgg_features(width, batch_norm=True)
    runs.load_weights(extractor, path)
    return freeze(extractor)
