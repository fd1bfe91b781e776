"""Data sets: one loader each, filled from a folder, from the network or made on the spot."""

from labkit.data.augmentation import Augmented, augment, draw_augmentation, store_augmented
from labkit.data.cam_seg import CamSeg, unnormalize, write_builtin
from labkit.data.dagm import Dagm
from labkit.data.facade import Facade
from labkit.data.flowers17 import Flowers17, other_flowers
from labkit.data.photos import imagenet_labels, load_picture, photos

__all__ = [
    "Augmented",
    "CamSeg",
    "Dagm",
    "Facade",
    "Flowers17",
    "augment",
    "draw_augmentation",
    "imagenet_labels",
    "load_picture",
    "other_flowers",
    "photos",
    "store_augmented",
    "unnormalize",
    "write_builtin",
]
