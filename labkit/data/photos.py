"""Single pictures: two photographs, the ImageNet label names, and files of one's own."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torchvision.models import ResNet18_Weights

from labkit.data.reading import opened_picture
from labkit.errors import InputError


def photos() -> OrderedDict[str, NDArray[np.uint8]]:
    """Two photographs for ImageNet networks: "motorcycle" [500,741,3] and "cat" [300,451,3], uint8.

    They come inside scikit-image, so no network is needed.

    Raises:
        InputError: the installed scikit-image does not hold them.
    """
    return OrderedDict(motorcycle=skimage_photo("motorcycle_left"), cat=skimage_photo("chelsea"))


def imagenet_labels() -> tuple[str, ...]:
    """The 1,000 ImageNet class names in the order of a network's scores ([281] is "tabby")."""
    return tuple(ResNet18_Weights.DEFAULT.meta["categories"])


def skimage_photo(name: str) -> NDArray[np.uint8]:
    """A PNG photograph that scikit-image ships inside its package, as uint8 [H,W,3].

    The file is opened by path, because `skimage.data` may ask the network for it.

    Raises:
        InputError: the installed scikit-image does not hold the file.
    """
    path = Path(skimage.__file__).parent / "data" / f"{name}.png"
    if not path.is_file():
        raise InputError(
            f"the installed scikit-image has no {path}, which its package should hold: "
            "reinstall it with `pip install --force-reinstall scikit-image`"
        )
    return load_picture(path)


def load_picture(path: str | Path) -> NDArray[np.uint8]:
    """Read a picture file as uint8 RGB [H,W,3], upright as a camera's EXIF turn says.

    Grey and palette pictures become RGB; what is transparent is laid on white.

    Raises:
        InputError: there is no such file, or it is no picture that Pillow can read whole.
    """
    with opened_picture(Path(path)) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            colours = upright.convert("RGBA")
            white = Image.new("RGBA", colours.size, "white")
            upright = Image.alpha_composite(white, colours)
        return np.array(upright.convert("RGB"))
