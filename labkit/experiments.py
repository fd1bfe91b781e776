"""The documents' tables as data, and the experiments that put this course's figures beside them.

An experiment is many trainings in one folder. Stopped and started again, it goes on where it was:
finished trainings are read, and the one that was interrupted is resumed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset

from labkit.data import CamSeg
from labkit.localization import iou_table
from labkit.losses import handout_maps
from labkit.maps import class_activation_map, enlarge, normalize
from labkit.models import CamNet, CamOutput
from labkit.segmentation import SegObjective, map_figures
from labkit.training import Objective, as_found, build, classification, fit
from labkit.transforms import Scale

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


def train_arm(
    data: str, sizes: Sizes, objective: Objective, seed: int, run: Path, progress: bool = False
) -> pd.DataFrame:
    """Train one network from scratch and watch its maps; the history, a row an epoch.

    Besides what `fit` records, the columns are those of `Watch`. The last tenth of the training
    images is held out.

    Args:
        data: "builtin", or a folder in the layout of `labkit.data.cam_seg_folder`.
        sizes: how much is trained.
        objective: what is minimised.
        seed: of weights and order; the images are the same for every seed.
        run: folder; a finished training in it is read, an interrupted one resumed.
        progress: show bars.

    Raises:
        InputError: the data cannot be used, or the folder holds another training.
    """
    train = CamSeg(data, "train", sizes.size)
    test = CamSeg(data, "test", sizes.size)
    chosen = _spread(len(train), sizes.images, seed=0)
    held_out = max(1, len(chosen) // 10)
    learnt = Subset(train, chosen[:-held_out])
    model = build(lambda: CamNet(len(train.classes)), seed)
    return fit(
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
        measure=Watch(test, _spread(len(test), sizes.test_images, seed=0), learnt),
    )


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


def _spread(n: int, at_most: int, seed: int) -> list[int]:
    """A seeded draw in random order: lists may be sorted by class."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))[:at_most].tolist()
