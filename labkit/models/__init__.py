"""Networks: for classes with the maps that explain them, and for labels of every pixel."""

from labkit.models.cam_net import CamNet
from labkit.models.defect_net import DefectNet
from labkit.models.extractors import vgg_features
from labkit.models.fcam import FCam, SegNet
from labkit.models.fcn import FCN8s, FCN32s
from labkit.models.fusion import fuse_features
from labkit.models.imagenet import ImageNetNet, imagenet_net
from labkit.models.output import CamOutput
from labkit.models.parts import cam_parts
from labkit.models.recam import NaiveReCamHead, ReCam, ReCamHead
from labkit.models.stage_net import StageNet
from labkit.models.vgg import CamHead, VggCam

__all__ = [
    "CamHead",
    "CamNet",
    "CamOutput",
    "DefectNet",
    "FCN8s",
    "FCN32s",
    "FCam",
    "ImageNetNet",
    "NaiveReCamHead",
    "ReCam",
    "ReCamHead",
    "SegNet",
    "StageNet",
    "VggCam",
    "cam_parts",
    "fuse_features",
    "imagenet_net",
    "vgg_features",
]
