"""How much a lab trains: seconds for grading, minutes on a laptop, or as the documents did.

A notebook asks `current("lab1_cam")` and gets `laptop`; under nbgrader it gets `grade`. The
environment variable LABKIT_PRESET overrides both.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from labkit.errors import InputError


@dataclass(frozen=True, repr=False)
class Preset:
    """The sizes of a lab's training.

    `size` is the side of the images in pixels. `train_images`, `test_images` and `fold_images` (for
    the cross validation) say how many are used at most; `fold_epochs` are the epochs of each of
    the `folds` trainings of the cross validation. `seg_epochs` are those of each further training
    in lab 2. `width` is the share of VGG-16's channels and `validation_images` how many choose the
    epoch, both in labs 3 and 6. `extractor_images` and `extractor_epochs` are those of the feature
    extractor of lab 6, trained before it is frozen. `channels` are those of the first stage in lab
    7, and `map_epochs` the passes that its networks for maps take. What a lab does not do is 0.
    """

    name: str
    size: int
    train_images: int
    test_images: int
    epochs: int
    batch_size: int
    lr: float
    folds: int = 0
    fold_images: int = 0
    fold_epochs: int = 0
    seg_epochs: int = 0
    width: float = 0
    validation_images: int = 0
    extractor_images: int = 0
    extractor_epochs: int = 0
    channels: int = 0
    map_epochs: int = 0

    def __repr__(self) -> str:
        """Without what the lab does not do."""
        used = {name: value for name, value in asdict(self).items() if value != 0}
        return f"Preset({', '.join(f'{name}={value!r}' for name, value in used.items())})"


PRESETS: Mapping[str, Mapping[str, Preset]] = {
    "lab1_cam": {
        "grade": Preset(
            name="grade",
            size=32,
            train_images=64,
            test_images=32,
            epochs=1,
            folds=2,
            fold_images=32,
            fold_epochs=1,
            batch_size=16,
            lr=1e-3,
        ),
        "laptop": Preset(
            name="laptop",
            size=64,
            train_images=4000,
            test_images=1000,
            epochs=12,
            folds=5,
            fold_images=1500,
            fold_epochs=6,
            batch_size=64,
            lr=1e-3,
        ),
        # All of CIFAR-10, whose images the documents use.
        "paper": Preset(
            name="paper",
            size=224,
            train_images=50_000,
            test_images=10_000,
            epochs=10,
            folds=5,
            fold_images=50_000,
            fold_epochs=10,
            batch_size=64,
            lr=1e-3,
        ),
    },
    "lab2_seg": {
        "grade": Preset(
            name="grade",
            size=32,
            train_images=48,
            test_images=32,
            epochs=1,
            seg_epochs=1,
            batch_size=16,
            lr=1e-3,
        ),
        "laptop": Preset(
            name="laptop",
            size=64,
            train_images=2000,
            test_images=500,
            epochs=10,
            seg_epochs=4,
            batch_size=64,
            lr=1e-3,
        ),
        "paper": Preset(
            name="paper",
            size=224,
            train_images=50_000,
            test_images=10_000,
            epochs=10,
            seg_epochs=10,
            batch_size=64,
            lr=1e-3,
        ),
    },
    "lab3_fcn": {
        "grade": Preset(
            name="grade",
            size=32,
            width=1 / 16,
            train_images=4,
            validation_images=2,
            test_images=4,
            epochs=1,
            batch_size=2,
            lr=1e-3,
        ),
        "laptop": Preset(
            name="laptop",
            size=128,
            width=1 / 8,
            train_images=280,
            validation_images=40,
            test_images=80,
            epochs=8,
            batch_size=4,
            lr=1e-3,
        ),
        # The document takes photographs at their own sizes, up to 1024 pixels.
        "paper": Preset(
            name="paper",
            size=512,
            width=1.0,
            train_images=500,
            validation_images=30,
            test_images=76,
            epochs=20,
            batch_size=1,
            lr=1e-4,
        ),
    },
    # For the small network that stands in where no ImageNet weights can be had.
    "lab4_resnet18_cam": {
        "grade": Preset(
            name="grade",
            size=32,
            train_images=48,
            test_images=16,
            epochs=1,
            batch_size=16,
            lr=1e-3,
        ),
        "laptop": Preset(
            name="laptop",
            size=64,
            train_images=2000,
            test_images=500,
            epochs=6,
            batch_size=64,
            lr=1e-3,
        ),
        "paper": Preset(
            name="paper",
            size=224,
            train_images=4000,
            test_images=1000,
            epochs=12,
            batch_size=64,
            lr=1e-3,
        ),
    },
    "lab5_layercam": {
        "grade": Preset(
            name="grade",
            size=32,
            train_images=40,
            test_images=20,
            epochs=1,
            batch_size=20,
            lr=1e-3,
        ),
        "laptop": Preset(
            name="laptop",
            size=64,
            train_images=2000,
            test_images=400,
            epochs=10,
            batch_size=64,
            lr=1e-3,
        ),
        "paper": Preset(
            name="paper",
            size=224,
            train_images=4000,
            test_images=1000,
            epochs=30,
            batch_size=64,
            lr=1e-3,
        ),
    },
    "lab6_recam": {
        "grade": Preset(
            name="grade",
            size=32,
            width=1 / 16,
            train_images=34,
            validation_images=34,
            test_images=34,
            epochs=2,
            batch_size=17,
            lr=3e-3,
            extractor_images=26,
            extractor_epochs=1,
        ),
        "laptop": Preset(
            name="laptop",
            size=64,
            width=1 / 8,
            train_images=680,
            validation_images=340,
            test_images=340,
            epochs=40,
            batch_size=32,
            lr=3e-3,
            extractor_images=2600,
            extractor_epochs=14,
        ),
        # The document's, on the real flowers; its extractor has ImageNet weights.
        "paper": Preset(
            name="paper",
            size=256,
            width=1.0,
            train_images=680,
            validation_images=340,
            test_images=340,
            epochs=40,
            batch_size=8,
            lr=1e-4,
        ),
    },
    "lab7_defects": {
        "grade": Preset(
            name="grade",
            size=32,
            channels=2,
            train_images=24,
            validation_images=16,
            test_images=24,
            epochs=1,
            map_epochs=1,
            batch_size=12,
            lr=3e-3,
        ),
        "laptop": Preset(
            name="laptop",
            size=64,
            channels=8,
            train_images=805,
            validation_images=172,
            test_images=173,
            epochs=8,
            map_epochs=8,
            batch_size=32,
            lr=3e-3,
        ),
        # The document's, on DAGM's own surfaces; its network is a ResNet-50.
        "paper": Preset(
            name="paper",
            size=512,
            channels=64,
            train_images=805,
            validation_images=172,
            test_images=173,
            epochs=10,
            map_epochs=20,
            batch_size=8,
            lr=1e-3,
        ),
    },
}


def preset(lab: str, name: str) -> Preset:
    """The sizes of one lab by the preset's name: "grade", "laptop" or "paper".

    Raises:
        InputError: there is no such lab or preset.
    """
    if lab not in PRESETS:
        raise InputError(f"there are no presets for {lab!r}, expected one of {', '.join(PRESETS)}")
    if name not in PRESETS[lab]:
        raise InputError(
            f"there is no preset {name!r}, expected one of {', '.join(PRESETS[lab])}: see the "
            "option --preset or the environment variable LABKIT_PRESET"
        )
    return PRESETS[lab][name]


def current(lab: str) -> Preset:
    """The sizes of one lab here and now.

    LABKIT_PRESET names the preset where it is set; otherwise `grade` while nbgrader executes the
    notebook (it sets NBGRADER_EXECUTION then), and `laptop`.

    Raises:
        InputError: there is no such lab, or LABKIT_PRESET names no preset.
    """
    by_itself = "grade" if os.environ.get("NBGRADER_EXECUTION") else "laptop"
    return preset(lab, os.environ.get("LABKIT_PRESET") or by_itself)
