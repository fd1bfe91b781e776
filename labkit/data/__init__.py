"""Data sets: one loader each, filled from a folder, from the network or made on the spot."""

from labkit.data.cam_seg import CamSeg, unnormalize, write_builtin
from labkit.data.dagm import Dagm
from labkit.data.facade import Facade
from labkit.data.photos import imagenet_labels, load_picture, photos

__all__ = [
    "CamSeg",
    "Dagm",
    "Facade",
    "imagenet_labels",
    "load_picture",
    "photos",
    "unnormalize",
    "write_builtin",
]
