"""Networks: each returns its class scores together with the feature maps that explain them."""

from labkit.models.cam_net import CamNet, CamOutput
from labkit.models.imagenet import ImageNetNet, imagenet_net

__all__ = ["CamNet", "CamOutput", "ImageNetNet", "imagenet_net"]
