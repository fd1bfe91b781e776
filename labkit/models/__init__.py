"""Networks: for classes with the maps that explain them, and for labels of every pixel."""

from labkit.models.cam_net import CamNet
from labkit.models.defect_net import DefectNet
from labkit.models.fcam import FCam, SegNet
from labkit.models.fcn import FCN8s, FCN32s
from labkit.models.fusion import fuse_features
from labkit.models.imagenet import ImageNetNet, imagenet_net
from labkit.models.output import CamOutput
from labkit.models.parts import cam_parts

__all__ = [
    "CamNet",
    "CamOutput",
    "DefectNet",
    "FCN8s",
    "FCN32s",
    "FCam",
    "ImageNetNet",
    "SegNet",
    "cam_parts",
    "fuse_features",
    "imagenet_net",
]
