"""Networks: each returns its class scores together with the feature maps that explain them."""

from labkit.models.cam_net import CamNet
from labkit.models.imagenet import ImageNetNet, imagenet_net
from labkit.models.output import CamOutput
from labkit.models.parts import cam_parts

__all__ = ["CamNet", "CamOutput", "ImageNetNet", "cam_parts", "imagenet_net"]
