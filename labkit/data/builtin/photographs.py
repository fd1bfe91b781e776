"""Photographs for backgrounds at a few scales, shrunk in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labkit.data.photos import skimage_photo


def views(names: Sequence[str], side: int) -> list[NDArray[np.uint8]]:
    """Each photograph at the scales 1, 1/2 and 1/3 that still hold a square of `side` pixels."""
    scaled = [shrink(skimage_photo(name), factor) for name in names for factor in (1, 2, 3)]
    return [view for view in scaled if min(view.shape[:2]) >= side]


def shrink(picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Means of factor x factor boxes of a picture [H,W,3], rounded down; a ragged edge is cut.

    In integers, because a library's resizing differs in the last bit from version to version.
    """
    height, width = (n // factor for n in picture.shape[:2])
    boxes = picture[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return (boxes.sum(axis=(1, 3), dtype=np.int64) // factor**2).astype(np.uint8)
