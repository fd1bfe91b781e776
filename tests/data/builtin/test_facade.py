"""The drawn facades: the same everywhere, all classes, exact labels, nothing that gives away."""

import hashlib
import time

import numpy as np
import pytest

from labkit.data.builtin import facade
from labkit.data.builtin.chance import Chance
from labkit.data.builtin.facade_grammar import draw
from labkit.data.builtin.facade_parts import CLASSES, WINDOW, Box


def test_the_same_byte_for_byte():
    scenes = facade.scenes("train", 12)
    found = hashlib.sha256(scenes.pictures.tobytes() + scenes.labels.tobytes()).hexdigest()
    assert found == "910740f6a196b95352149da21fcfad082f4e485bd53ed4443b352b80f98f6a9f"


def test_three_hundred_and_more_in_seconds():
    assert sum(facade.COUNT.values()) >= 300
    start = time.perf_counter()
    for i in range(10):
        draw(Chance(99, i))
    assert time.perf_counter() - start < 3


def test_the_first_ones_do_not_depend_on_how_many():
    few, more = facade.scenes("test", 3), facade.scenes("test", 5)
    np.testing.assert_array_equal(few.pictures, more.pictures[:3])


def test_every_split_has_all_classes_and_no_picture_of_another():
    seen = set()
    for split in facade.COUNT:
        scenes = facade.scenes(split, 30)
        assert scenes.pictures.shape == (30, 192, 192, 3)
        assert set(np.unique(scenes.labels)) == set(range(12))
        seen |= {picture.tobytes() for picture in scenes.pictures}
    assert len(seen) == 90


def test_no_class_is_rare_or_fills_the_picture():
    labels = facade.scenes("train", 60).labels
    for number, name in enumerate(CLASSES):
        assert (labels == number).any((1, 2)).mean() > 0.4, name
        assert 0.004 < (labels == number).mean() < 0.45, name


def test_colour_alone_gives_little_away():
    """The class that is commonest among training pixels of a colour, tried on test pictures."""
    bins = 12

    def cells(pictures):
        r, g, b = np.moveaxis(pictures.astype(int) * bins // 256, -1, 0)
        return (r * bins + g) * bins + b

    train, test = facade.scenes("train", 80), facade.scenes("test", 40)
    counts = np.zeros((bins**3, 12), int)
    np.add.at(counts, (cells(train.pictures), train.labels), 1)
    guess = counts.argmax(1)[cells(test.pictures)]
    ious = []
    for c in range(12):
        union = ((guess == c) | (test.labels == c)).sum()
        ious.append(((guess == c) & (test.labels == c)).sum() / union)
    assert np.mean(ious) < 0.15


def test_they_are_read_only_and_shared():
    scenes = facade.scenes("validation", 2)
    assert scenes is facade.scenes("validation", 2)
    with pytest.raises(ValueError, match="read-only"):
        scenes.pictures[0, 0, 0, 0] = 1


def test_windows_are_where_the_picture_changes():
    """Labels and pictures are painted together: most window borders are edges of brightness."""
    scenes = facade.scenes("train", 20)
    grey = scenes.pictures.astype(int).sum(3)
    step = np.abs(np.diff(grey, axis=2))
    border = (scenes.labels[:, :, 1:] == WINDOW) != (scenes.labels[:, :, :-1] == WINDOW)
    assert step[border].mean() > 2 * step[~border].mean()


def test_boxes_are_cut_without_gaps():
    box = Box(3, 50, 10, 97)
    rows, columns = box.rows(2, 1, 3), box.columns(1, 1, 1, 5)
    assert [r.top for r in rows[1:]] == [r.bottom for r in rows[:-1]]
    assert (rows[0].top, rows[-1].bottom) == (3, 50)
    assert sum(c.width for c in columns) == box.width
    assert box.middle(50, 100).width == box.width


def test_chance_is_what_it_was():
    chance = Chance(1, 2)
    assert [chance.between(0, 99) for _ in range(3)] == [82, 71, 73]
    noise = chance.noise((50, 50), 3)
    assert (noise.min(), noise.max()) == (-3, 3)
