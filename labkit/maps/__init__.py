"""Maps that show where a class score comes from. Tensors in, tensors out."""

from labkit.maps.cam import all_class_maps, class_activation_map
from labkit.maps.normalize import enlarge, normalize

__all__ = ["all_class_maps", "class_activation_map", "enlarge", "normalize"]
