"""Maps that show where a class score comes from. Tensors in, tensors out."""

from labkit.maps.cam import all_class_maps, class_activation_map
from labkit.maps.normalize import emphasize, enlarge, normalize
from labkit.maps.softmax import softmax_weighted_map

__all__ = [
    "all_class_maps",
    "class_activation_map",
    "emphasize",
    "enlarge",
    "normalize",
    "softmax_weighted_map",
]
