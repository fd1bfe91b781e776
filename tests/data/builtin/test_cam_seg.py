"""The built-in set: exact masks, the same everywhere, and no short cut to the class."""

import hashlib

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from labkit.data.builtin import cam_seg
from labkit.data.builtin.cam_seg import backgrounds, scenes
from labkit.data.builtin.stencils import CLASSES, OUTSIDE, RADIUS, REACH, SIDE, UNIT, stencils

SHA256 = "191472df88b7d38212794bb36607f5a750d203e06d1f80cd700a425c27c95a44"


def test_every_byte_is_the_known_one():
    digest = hashlib.sha256()
    for split in ("train", "test"):
        for array in scenes(split):
            digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")))
    assert digest.hexdigest() == SHA256


def test_making_it_again_gives_the_same_and_the_splits_differ():
    again = scenes.__wrapped__("test")
    assert all(np.array_equal(a, b) for a, b in zip(again, scenes("test"), strict=True))
    assert not np.array_equal(scenes("train").pictures[:1000], again.pictures)


@pytest.mark.parametrize(("split", "count"), [("train", 4000), ("test", 1000)])
def test_classes_are_balanced_and_arrays_have_their_promised_form(split, count):
    made = scenes(split)
    assert np.bincount(made.labels).tolist() == [count // 10] * 10
    assert made.pictures.shape == (count, 96, 96, 3) and made.pictures.dtype == np.uint8
    assert made.masks.shape == (count, 96, 96) and made.masks.dtype == np.bool_
    with pytest.raises(ValueError, match="read-only"):
        made.pictures[0] = 0


def test_the_mask_is_exactly_where_the_picture_differs_from_its_background():
    made = scenes("test")
    differs = (made.pictures != backgrounds("test")).any(axis=3)
    assert not (differs & ~made.masks).any()
    # A tone may by chance be the very colour that it covers; seldom, and never over a whole shape.
    agreement = (differs & made.masks).sum(axis=(1, 2)) / made.masks.sum(axis=(1, 2))
    assert agreement.min() > 0.9 and agreement.mean() > 0.999


def test_shapes_lie_wholly_inside_and_vary_in_size():
    masks = scenes("test").masks
    edges = np.concatenate([masks[:, 0], masks[:, -1], masks[:, :, 0], masks[:, :, -1]], axis=1)
    assert not edges.any()
    share = masks.mean(axis=(1, 2))
    assert 0.03 < share.min() < 0.07 and 0.3 < share.max() < 0.4


def test_place_does_not_tell_the_class():
    made = scenes("train")
    grid = np.arange(96)
    area = made.masks.sum(axis=(1, 2))
    middles = (
        np.stack(
            [
                (made.masks.sum(axis=2) * grid).sum(axis=1),
                (made.masks.sum(axis=1) * grid).sum(axis=1),
            ]
        )
        / area
    )
    spread = middles.std() / np.sqrt(400)
    for label in range(10):
        mean = middles[:, made.labels == label].mean(axis=1)
        assert np.abs(mean - 47.5).max() < 5 * spread


def test_colour_does_not_tell_the_class():
    made = scenes("train")
    colours = np.stack([p[m].mean(axis=0) for p, m in zip(made.pictures, made.masks, strict=True)])
    spread = colours.std() / np.sqrt(400)
    for label in range(10):
        mean = colours[made.labels == label].mean(axis=0)
        assert np.abs(mean - colours.mean(axis=0)).max() < 5 * spread


def test_the_background_does_not_tell_the_class():
    """A linear classifier sees whole backgrounds as they were before any shape was set in.

    Blanking the shape instead would hand its outline over.
    """

    def coarse(split):
        boxes = backgrounds(split).reshape(-1, 12, 8, 12, 8, 3)
        return boxes.mean(axis=(2, 4)).reshape(len(boxes), -1)

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=100, C=0.01))
    classifier.fit(coarse("train"), scenes("train").labels)
    assert classifier.score(coarse("test"), scenes("test").labels) < 0.15


def test_no_photograph_serves_both_splits():
    train, test = cam_seg.PHOTOGRAPHS["train"], cam_seg.PHOTOGRAPHS["test"]
    assert not set(train) & set(test)
    assert len(set(train)) == len(train) and len(set(test)) == len(test)


def test_sources_are_one_masked_test_picture_a_class():
    made, sources = scenes("test"), cam_seg.sources()
    assert tuple(sources) == CLASSES
    for label, (picture, mask) in enumerate(sources.values()):
        same = (made.pictures == picture).all(axis=(1, 2, 3))
        assert made.labels[same].tolist() == [label]
        assert np.array_equal(made.masks[same][0], mask)


def test_stencils_have_two_tones_and_keep_within_reach():
    drawn = stencils()
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    distance = np.hypot(*np.meshgrid(axis, axis)) / RADIUS * UNIT
    for stencil in drawn:
        tones = np.bincount(stencil.ravel(), minlength=3)
        assert 0.2 < tones[2] / (tones[1] + tones[2]) < 0.8
        assert distance[stencil != OUTSIDE].max() <= REACH
    outlines = {(stencil != OUTSIDE).tobytes() for stencil in drawn}
    assert len(outlines) == len(drawn) == len(CLASSES) == 10


@pytest.mark.parametrize("turn", [0, 31, 64, 200])
@pytest.mark.parametrize("radius", cam_seg.RADII)
def test_a_turned_stencil_keeps_its_area(radius, turn):
    reach = radius * REACH // UNIT + 1
    for stencil in stencils():
        inside = (cam_seg._turned(stencil, radius, turn, reach) != OUTSIDE).mean(axis=2).sum()
        expected = (stencil != OUTSIDE).sum() * (radius / RADIUS) ** 2
        assert inside == pytest.approx(expected, rel=0.02)
