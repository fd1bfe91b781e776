"""ReCAM: the class activation map weights the feature maps, which are classified once more.

The paper's network has two classifiers. The first learns one yes or no for each class (binary cross
entropy). The map of each class that is present, divided by its maximum, then weights the feature
maps; their means go to a second classifier, without bias, which must tell the classes from each
other (softmax cross entropy). What fires for several classes is of no use to the second. For the
final map the weights of both are multiplied.

Document 001 built something else, which is here as `NaiveReCamHead`: the map of the class with the
highest score weights the feature maps, and the same classifier is applied to those.

Source: Chen et al., "Class Re-Activation Maps for Weakly-Supervised Semantic Segmentation", CVPR
2022, eq. 1 to 6.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.maps.cam import class_activation_map
from labkit.maps.normalize import Normalization, normalize
from labkit.models.output import CamOutput
from labkit.models.vgg import CamHead, VggCam


class ReCamLoss(NamedTuple):
    """ReCAM's loss and what it is made of, each a scalar tensor: `total` = `bce` + `ce`."""

    total: Tensor
    bce: Tensor
    ce: Tensor


def recam_loss(scores: Tensor, rescores: Tensor, labels: Tensor) -> ReCamLoss:
    """Binary cross entropy of the first classifier plus cross entropy of the second.

    Where each image has one class, the first loss asks N questions: is it a daffodil, is it a
    snowdrop, and so on; one of them wants a yes. It is the mean over images and classes.

    Args:
        scores: of the first classifier, [B,N].
        rescores: of the second, [B,N], for the maps weighted by the map of the true class.
        labels: class of each image, [B].

    Source: Chen et al., CVPR 2022, eq. 1, 4 and 5, for one class an image and both weighted alike.
    """
    truth = F.one_hot(labels, scores.shape[1]).to(scores)
    bce = F.binary_cross_entropy_with_logits(scores, truth)
    ce = F.cross_entropy(rescores, labels)
    return ReCamLoss(bce + ce, bce, ce)


class ReCamHead(CamHead):
    """A `CamHead` with the paper's second classifier.

    Args:
        n_classes, channels, maps: as for `CamHead`.
        how: the normalisation that makes a weight of a map; the paper's is "relu".
    """

    def __init__(
        self,
        n_classes: int = 17,
        channels: int = 512,
        maps: int | None = None,
        how: Normalization = "relu",
    ) -> None:
        super().__init__(n_classes, channels, maps)
        self.how = how
        self.reclassifier = nn.Linear(self.classifier.in_features, n_classes, bias=False)

    def reclassify(self, output: CamOutput, labels: Tensor) -> Tensor:
        """Scores [B,N] of the second classifier, for maps weighted by the map of one class [B]."""
        mask = normalize(super().class_map(output, labels), self.how)
        return self.reclassifier((output.features * mask.unsqueeze(1)).mean((2, 3)))

    def class_map(self, output: CamOutput, labels: Tensor) -> Tensor:
        """The re-activated map [B,h,w] of one class [B] each: both classifiers' weights."""
        weights = self.classifier.weight * self.reclassifier.weight
        return class_activation_map(output.features, weights[labels])


class NaiveReCamHead(CamHead):
    """What document 001 calls ReCAM: a `CamHead` applied a second time, to its own maps.

    The scores that it gives and learns from are those of the weighted maps. The class whose map
    weights them is the one with the highest score, right or wrong.

    Args:
        n_classes, channels, maps: as for `CamHead`.
        how: the normalisation that makes a weight of a map.
    """

    def __init__(
        self,
        n_classes: int = 17,
        channels: int = 512,
        maps: int | None = None,
        how: Normalization = "minmax",
    ) -> None:
        super().__init__(n_classes, channels, maps)
        self.how = how

    def forward(self, features: Tensor) -> CamOutput:
        """Scores [B,N], weighted maps [B,K,h,w] and their means [B,K]."""
        first = super().forward(features)
        best = first.scores.argmax(1)
        mask = normalize(super().class_map(first, best), self.how)
        weighted = first.features * mask.unsqueeze(1)
        pooled = torch.flatten(self.gap(weighted), 1)
        return CamOutput(self.classifier(pooled), weighted, pooled)


class ReCam(VggCam):
    """VGG-16's convolutions and a `ReCamHead`; arguments and answer as for `VggCam`.

    Source: Chen et al., CVPR 2022.
    """

    head: ReCamHead

    def _make_head(self, n_classes: int, channels: int) -> ReCamHead:
        return ReCamHead(n_classes, channels)
