"""Networks: each returns its class scores together with the feature maps that explain them."""

from labkit.models.cam_net import CamNet, CamOutput

__all__ = ["CamNet", "CamOutput"]
