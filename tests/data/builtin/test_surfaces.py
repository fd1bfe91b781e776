"""The built-in surfaces: the same everywhere, exact masks, defects that can be seen in the data."""

import hashlib

import numpy as np
import pytest

from labkit.data.builtin import surfaces

SUMS = {
    1: "2fc12a985e4a065a",
    2: "724907d940e41acf",
    3: "125be0cce29dc600",
    4: "2b4bf2a92e991611",
    5: "c4cd44d3eae14eb0",
    6: "84a6577dc0a0e9e1",
}


@pytest.mark.parametrize("problem", range(1, 7))
def test_the_same_byte_for_byte(problem):
    made = surfaces.scenes(problem, "train", 12)
    found = hashlib.sha256(made.pictures.tobytes() + made.masks.tobytes()).hexdigest()
    assert found[:16] == SUMS[problem]


def test_the_proportions_of_the_public_set():
    counts = {split: surfaces.COUNT[split] for split in ("train", "validation", "test")}
    defective = [sum(map(surfaces.is_defective, range(n))) for n in counts.values()]
    assert list(counts.values()) == [805, 172, 173]
    assert defective == [105, 22, 23]


def test_only_defective_surfaces_have_a_mask_and_good_ones_none():
    for problem in range(1, 7):
        made = surfaces.scenes(problem, "test", 60)
        np.testing.assert_array_equal(made.masks.any(axis=(1, 2)), made.labels == 1)
        assert made.labels.sum() == 8


def test_a_mask_is_an_ellipse_that_is_not_much_larger_than_the_numbers_say():
    ellipse = surfaces.Ellipse(12, 6, 0, 30, 34)
    reach = surfaces._reach(ellipse, *surfaces._inside(ellipse))
    y, x = np.mgrid[:64, :64]
    np.testing.assert_array_equal(reach >= 0, ((x - 30) / 12) ** 2 + ((y - 34) / 6) ** 2 <= 1)
    turned = ellipse._replace(turn=256)  # a quarter: the long axis points down
    reach = surfaces._reach(turned, *surfaces._inside(turned))
    np.testing.assert_array_equal(reach >= 0, ((x - 30) / 6) ** 2 + ((y - 34) / 12) ** 2 <= 1)


def test_blurring_takes_means_of_boxes_across_joined_borders():
    values = np.arange(12).reshape(3, 4) ** 2
    rolled = [np.roll(values, -offset, axis=1) for offset in (-1, 0, 1)]
    np.testing.assert_array_equal(surfaces._blur(values, 1, 3), sum(rolled) // 3)
    np.testing.assert_array_equal(
        surfaces._blur(values, 3, 1), np.full((3, 1), 1) * (values.sum(0) // 3)
    )


@pytest.mark.parametrize("problem", range(1, 7))
def test_the_defect_changes_the_texture_inside_the_mask_and_nowhere_far_from_it(problem):
    """The same chance with and without a defect gives the same texture up to the defect."""
    from labkit.data.builtin.chance import Chance

    inside, outside = [], []
    for i in range(8):
        good, _ = surfaces._surface(problem, Chance(5, i), False)
        bad, mask = surfaces._surface(problem, Chance(5, i), True)
        changed = good != bad
        inside.append(changed[mask].mean())
        far = ~np.pad(mask, 3)[3:-3, 3:-3]
        for axis in (0, 1):
            for step in (-3, 3):
                far &= ~np.roll(mask, step, axis)
        outside.append(changed[far].mean())
    assert np.mean(inside) > 0.03
    assert max(outside) < 0.002


def test_no_surface_serves_two_splits_and_the_first_do_not_depend_on_how_many():
    seen = set()
    for split in surfaces.COUNT:
        made = surfaces.scenes(2, split, 20)
        seen |= {picture.tobytes() for picture in made.pictures}
        np.testing.assert_array_equal(surfaces.scenes(2, split, 5).pictures, made.pictures[:5])
    assert len(seen) == 60


def test_brightness_alone_does_not_tell():
    """A defect is small: the mean grey value of a picture must not give it away (except P6)."""
    from sklearn.metrics import roc_auc_score

    for problem in (1, 2, 3, 4, 5):
        made = surfaces.scenes(problem, "train", 400)
        auc = roc_auc_score(made.labels, made.pictures.mean(axis=(1, 2)))
        assert 0.3 < auc < 0.7, problem
