"""The drawn flowers: the same everywhere, exact masks, and nothing but form that gives away."""

import hashlib
import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from labkit.data.builtin import blooms, flowers17


def test_the_same_byte_for_byte():
    scenes = flowers17.scenes("train", 17)
    found = hashlib.sha256(scenes.pictures.tobytes() + scenes.masks.tobytes()).hexdigest()
    assert found == "b44344807b36064e1912e188f5146216e93c8db779ba6d365b7b0534a859f4d0"


def test_as_many_as_flower_17_in_seconds():
    assert dict(flowers17.COUNT) == {"train": 680, "validation": 340, "test": 340}
    flowers17.scenes("train", 17)  # stencils are drawn once
    start = time.perf_counter()
    flowers17.other_kinds(50)
    assert time.perf_counter() - start < 3


def test_kinds_are_thirty_different_ones():
    kinds = flowers17.KINDS + flowers17.OTHER_KINDS
    assert len(flowers17.KINDS) == 17
    assert len({kind.name for kind in kinds}) == len({kind[:2] for kind in kinds}) == 30
    # Neither form nor pattern nor number of petals is enough to know a kind.
    for part in range(3):
        of_part = [kind[part] for kind in flowers17.KINDS]
        assert all(of_part.count(value) < 6 for value in of_part)
        assert len(set(of_part)) >= 5
        assert sum(of_part.count(value) > 1 for value in of_part) >= 13


def test_the_first_ones_do_not_depend_on_how_many():
    few, more = flowers17.scenes("test", 5), flowers17.scenes("test", 9)
    np.testing.assert_array_equal(few.pictures, more.pictures[:5])
    np.testing.assert_array_equal(more.labels, np.arange(9))


def test_splits_share_no_picture_and_no_photograph():
    seen = {p.tobytes() for s in flowers17.COUNT for p in flowers17.scenes(s, 20).pictures}
    assert len(seen) == 60
    names = [name for split in flowers17._PHOTOGRAPHS.values() for name in split]
    assert len(set(names)) == len(names)


def test_masks_are_where_the_flower_was_set_in():
    """Without its flowers a picture is the bare background, everywhere outside the mask."""
    scenes = flowers17.scenes("validation", 34)
    photographs = flowers17.views(flowers17._PHOTOGRAPHS["validation"], flowers17.SIZE)
    for i in range(34):
        bare = flowers17._background(photographs, flowers17.Chance(17, 2, i, 0))
        changed = (scenes.pictures[i] != bare).any(2)
        assert not changed[~scenes.masks[i]].any()
        assert changed[scenes.masks[i]].mean() > 0.97
    shares = scenes.masks.mean((1, 2))
    assert shares.min() > 0.05 and shares.max() < 0.7


def test_they_are_read_only_and_shared():
    scenes = flowers17.scenes("test", 3)
    assert scenes is flowers17.scenes("test", 3)
    with pytest.raises(ValueError, match="read-only"):
        scenes.pictures[0, 0, 0, 0] = 1


def accuracy(describe):
    """Of a linear classifier on some description of pictures, learnt on the training split."""
    train, test = flowers17.scenes("train"), flowers17.scenes("test")
    scale = StandardScaler()
    learnt = scale.fit_transform([describe(*pair) for pair in zip(*train[:2], strict=True)])
    model = LogisticRegression(max_iter=200).fit(learnt, train.labels)
    shown = scale.transform([describe(*pair) for pair in zip(*test[:2], strict=True)])
    return model.score(shown, test.labels)


def test_mean_colours_are_no_help():
    """Chance is 0.059; of the picture, and of the flower alone."""
    assert accuracy(lambda picture, mask: picture.mean((0, 1))) < 0.12
    assert accuracy(lambda picture, mask: picture[mask].mean(0)) < 0.12


def test_the_background_is_no_help():
    def coarse(picture, mask):
        shown = np.where(mask[..., None], 0, picture)
        return shown.reshape(8, 12, 8, 12, 3).mean((1, 3)).ravel()

    # Where the flower was, the hole tells a little of its form and size.
    assert accuracy(coarse) < 0.2


def test_a_stencil_has_as_many_petals_as_its_kind():
    for kind in flowers17.KINDS:
        tones = blooms.stencil(kind).tones
        # Around the circle just inside the tips, petals and gaps alternate.
        angles = 2 * np.pi * np.arange(240) / 240
        r = 0.9 * blooms.RADIUS
        rows = np.rint(blooms.SIDE / 2 + r * np.sin(angles)).astype(int)
        columns = np.rint(blooms.SIDE / 2 + r * np.cos(angles)).astype(int)
        inside = tones[rows, columns] != blooms.OUTSIDE
        if kind.form in ("oval", "lance", "spoon", "strap"):
            assert (np.diff(np.r_[inside[-1], inside].astype(int)) == 1).sum() == kind.petals
        assert set(np.unique(tones)) == {0, 1, 2, 3}
