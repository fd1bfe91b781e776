"""A tiny folder in the layout of Flower-17, for tests."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

PER_CLASS = 4  # two to train on, one to validate, one to test


def write_set(root: Path, **changes) -> Path:
    """68 pictures whose colour is their number."""
    (root / "jpg").mkdir(parents=True)
    for i in range(17 * PER_CLASS):
        pixels = np.full((20, 30 + i % 3, 3), 3 * i, np.uint8)
        Image.fromarray(pixels).save(root / "jpg" / f"image_{i + 1:04d}.jpg")
    numbers = np.arange(1, 17 * PER_CLASS + 1)
    place = (numbers - 1) % PER_CLASS
    lists = {}
    for partition in (1, 2, 3):
        turned = (place + partition - 1) % PER_CLASS
        lists[f"trn{partition}"] = numbers[turned < 2][None]
        lists[f"val{partition}"] = numbers[turned == 2][None]
        lists[f"tst{partition}"] = numbers[turned == 3][None]
    savemat(root / "datasplits.mat", lists | changes)
    return root
