"""FCN-32s and FCN-8s: VGG-16 made convolutional, its scores enlarged to the size of the image.

Source: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR
2015, sections 3.1 to 4.2; padding and crops are those of its public code.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from labkit.errors import InputError
from labkit.fcn_shapes import CROP, PADDING, Network, nearest_that_work, works
from labkit.models.initialization import proper_init

# Channels of VGG-16 after each convolution, a row for each stage.
VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
FULLY_CONNECTED = 4096


class _Fcn(nn.Module):
    """What both networks share: five stages of convolutions, and the scores at their end.

    Args:
        n_classes: number of classes N.
        width: share of VGG-16's channels, in (0, 1]; 1/8 makes a network for two cores.
        ceil_mode: pool as the original code does, rounding up; by default torch's rounding down.

    Raises:
        InputError: an argument is out of its range.
    """

    network: Network

    def __init__(self, n_classes: int = 12, width: float = 1.0, *, ceil_mode: bool = False) -> None:
        super().__init__()
        if n_classes < 1:
            raise InputError(f"n_classes is {n_classes}, expected at least 1")
        if not 0 < width <= 1:
            raise InputError(f"width is {width}, expected a share of VGG-16's channels in (0, 1]")
        self.ceil_mode = ceil_mode
        self.stages = nn.ModuleList(_stages(width, ceil_mode))
        pooled, hidden = _narrow(VGG16[-1][-1], width), _narrow(FULLY_CONNECTED, width)
        self.fc6 = nn.Conv2d(pooled, hidden, 7)
        self.drop6 = nn.Dropout2d(0.5)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.drop7 = nn.Dropout2d(0.5)
        self.score = nn.Conv2d(hidden, n_classes, 1)

    def _scores(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """The maps after each pooling, and the coarse scores [B,N,h,w]."""
        self._check(images)
        pooled = []
        maps = images
        for stage in self.stages:
            maps = stage(maps)
            pooled.append(maps)
        maps = self.drop6(self.fc6(maps).relu())
        maps = self.drop7(self.fc7(maps).relu())
        return pooled, self.score(maps)

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 3:
            raise InputError(f"images is {list(images.shape)}, expected [B,3,H,W]")
        for name, side in zip(("height", "width"), images.shape[2:], strict=True):
            if works(side, self.network, ceil_mode=self.ceil_mode):
                continue
            near = nearest_that_work(side, self.network, ceil_mode=self.ceil_mode)
            raise InputError(
                f"the {name} is {side} pixels, for which {type(self).__name__} falls short of the "
                f"image: resize or pad it to {' or '.join(map(str, near))}"
            )

    def load_vgg16(self, vgg16: nn.Module) -> None:
        """Copy the weights of VGG-16: 13 convolutions, and two linear layers as fc6 and fc7.

        Nothing is shared afterwards. Scores and transposed convolutions stay as they are.

        Args:
            vgg16: torchvision's, or one with `features` and `classifier` in the same order.

        Raises:
            InputError: its layers do not have the sizes of this network.
        """
        theirs = [m for m in vgg16.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        names, mine = zip(*self._transferable(), strict=True)
        if len(theirs) < len(mine):
            raise InputError(
                f"the network to copy from has {len(theirs)} layers with weights, expected the "
                "13 convolutions and 3 linear layers of VGG-16"
            )
        pairs = list(zip(names, mine, theirs, strict=False))
        for name, to, source in pairs:
            given = tuple(source.weight.shape)
            wanted = tuple(to.weight.shape)
            if given != wanted and given != (wanted[0], to.weight[0].numel()):
                raise InputError(
                    f"{name} has weights {list(wanted)} and the layer to copy {list(given)}: only "
                    "a network of the same width can be copied (VGG-16 wants width=1.0)"
                )
        with torch.no_grad():
            for _, to, source in pairs:
                to.weight.copy_(source.weight.reshape(to.weight.shape))
                if to.bias is not None and source.bias is not None:
                    to.bias.copy_(source.bias)

    def _transferable(self) -> Iterator[tuple[str, nn.Conv2d]]:
        for stage in self.stages:
            for name, layer in stage.named_children():
                if isinstance(layer, nn.Conv2d):
                    yield name, layer
        yield "fc6", self.fc6
        yield "fc7", self.fc7


class FCN32s(_Fcn):
    """The coarse scores enlarged 32 times in one step, images [B,3,H,W] to scores [B,N,H,W].

    One transposed convolution with a 64x64 kernel that starts as bilinear interpolation; the
    image lies in its output from row and column 19 = padding - 81 on. With 12 classes it has
    134,899,532 parameters. Where a side leaves a remainder of 14 to 25 by 32, the output falls
    short of the image, and the network refuses it.

    Args:
        n_classes, width, ceil_mode: see above. With `ceil_mode` every side works.

    Raises:
        InputError: an argument is out of range, or (in `forward`) the images have a size that
            falls short; names the nearest that work.

    Source: Long, Shelhamer, Darrell, CVPR 2015, section 4.1.
    """

    network: Network = "fcn32s"

    def __init__(self, n_classes: int = 12, width: float = 1.0, *, ceil_mode: bool = False) -> None:
        super().__init__(n_classes, width, ceil_mode=ceil_mode)
        self.upscore = nn.ConvTranspose2d(n_classes, n_classes, 64, stride=32, bias=False)
        proper_init(self)

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B,N,H,W] (logits) of images [B,3,H,W]."""
        _, scores = self._scores(images)
        return _crop(self.upscore(scores), CROP["upscore"], images)


class FCN8s(_Fcn):
    """Scores of three depths added up, enlarged 2, 2 and 8 times: [B,3,H,W] to [B,N,H,W].

    The coarse scores are enlarged twice and meet the scores of pool4, cropped from 5 on; their
    sum, enlarged twice, meets those of pool3, from 9 on; and their sum, enlarged eight times, is
    cropped from 31 on. With 12 classes it has 134,360,420 parameters, fewer than FCN-32s: the
    kernels of its transposed convolutions are smaller. Every side from 26 pixels on works.

    Args:
        n_classes, width, ceil_mode: see above.

    Raises:
        InputError: an argument is out of range, or (in `forward`) the images are too small.

    Source: Long, Shelhamer, Darrell, CVPR 2015, section 4.2.
    """

    network: Network = "fcn8s"

    def __init__(self, n_classes: int = 12, width: float = 1.0, *, ceil_mode: bool = False) -> None:
        super().__init__(n_classes, width, ceil_mode=ceil_mode)
        self.score_pool3 = nn.Conv2d(_narrow(256, width), n_classes, 1)
        self.score_pool4 = nn.Conv2d(_narrow(512, width), n_classes, 1)
        self.upscore1 = nn.ConvTranspose2d(n_classes, n_classes, 4, stride=2, bias=False)
        self.upscore2 = nn.ConvTranspose2d(n_classes, n_classes, 4, stride=2, bias=False)
        self.upscore3 = nn.ConvTranspose2d(n_classes, n_classes, 16, stride=8, bias=False)
        proper_init(self)

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B,N,H,W] (logits) of images [B,3,H,W]."""
        pooled, scores = self._scores(images)
        up = self.upscore1(scores)
        up = self.upscore2(up + _crop(self.score_pool4(pooled[3]), CROP["score_pool4"], up))
        up = self.upscore3(up + _crop(self.score_pool3(pooled[2]), CROP["score_pool3"], up))
        return _crop(up, CROP["upscore3"], images)


def _crop(maps: Tensor, start: int, like: Tensor) -> Tensor:
    """The part of maps [B,N,h,w] from row and column `start` on that is as large as `like`."""
    height, width = like.shape[2:]
    return maps[:, :, start : start + height, start : start + width].contiguous()


def _narrow(channels: int, width: float) -> int:
    return max(1, round(channels * width))


def _stages(width: float, ceil_mode: bool) -> Iterator[nn.Sequential]:
    """The five stages of VGG-16: convolutions with ReLU, and a pooling that halves."""
    before, padding = 3, PADDING
    for i, channels in enumerate(VGG16, 1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for j, full in enumerate(channels, 1):
            after = _narrow(full, width)
            layers[f"conv{i}_{j}"] = nn.Conv2d(before, after, 3, padding=padding)
            layers[f"relu{i}_{j}"] = nn.ReLU(inplace=True)
            before, padding = after, 1
        layers[f"pool{i}"] = nn.MaxPool2d(2, stride=2, ceil_mode=ceil_mode)
        yield nn.Sequential(layers)
