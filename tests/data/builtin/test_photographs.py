"""Backgrounds: integer box means, and only views that hold the wanted square."""

import numpy as np

from labkit.data.builtin.photographs import shrink, views


def test_shrinking_takes_means_of_boxes_rounded_down_and_cuts_a_ragged_edge():
    picture = np.zeros((5, 4, 3), np.uint8)
    picture[0, 0], picture[0, 1], picture[1, 0] = 255, 255, 1
    picture[4] = 99
    expected = np.zeros((2, 2, 3), np.uint8)
    expected[0, 0] = (255 + 255 + 1) // 4
    assert np.array_equal(shrink(picture, 2), expected)
    assert np.array_equal(shrink(picture, 1), picture)


def test_views_too_small_for_the_square_are_left_out():
    assert [view.shape[:2] for view in views(["chelsea"], 96)] == [
        (300, 451),
        (150, 225),
        (100, 150),
    ]
    assert [view.shape[:2] for view in views(["chelsea"], 101)] == [(300, 451), (150, 225)]
