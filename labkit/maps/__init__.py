"""Maps that show where a class score comes from. Tensors in, tensors out."""

from labkit.maps.cam import all_class_maps, class_activation_map
from labkit.maps.explanation import explain
from labkit.maps.fuse import fuse
from labkit.maps.gradient import grad_cam, grad_cam_plus_plus, layer_cam
from labkit.maps.normalize import emphasize, enlarge, normalize, scale_tanh
from labkit.maps.record import Record, Recorder
from labkit.maps.softmax import softmax_weighted_map

__all__ = [
    "Record",
    "Recorder",
    "all_class_maps",
    "class_activation_map",
    "emphasize",
    "enlarge",
    "explain",
    "fuse",
    "grad_cam",
    "grad_cam_plus_plus",
    "layer_cam",
    "normalize",
    "scale_tanh",
    "softmax_weighted_map",
]
