"""Networks: for classes with the maps that explain them, and for labels of every pixel."""

from labkit.models.cam_net import CamNet
from labkit.models.fcn import FCN8s, FCN32s
from labkit.models.imagenet import ImageNetNet, imagenet_net
from labkit.models.output import CamOutput
from labkit.models.parts import cam_parts
from labkit.models.stage_net import StageNet

__all__ = [
    "CamNet",
    "CamOutput",
    "FCN8s",
    "FCN32s",
    "ImageNetNet",
    "StageNet",
    "cam_parts",
    "imagenet_net",
]
