"""Flower-17: built in, from a folder in the public layout, and what is refused."""

import os

import numpy as np
import pytest
import torch
from flower_folder import PER_CLASS, write_set
from scipy.io import savemat

from labkit.data import Flowers17, other_flowers, unnormalize
from labkit.data.flowers17 import write_builtin
from labkit.errors import InputError


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "flowers")


class TestBuiltin:
    def test_items(self):
        data = Flowers17(split="test", count=3)
        image, label = data[1]
        assert image.shape == (3, 96, 96) and image.dtype == torch.float32 and label == 1
        shown = torch.tensor(data.picture(1)).permute(2, 0, 1) / 255
        torch.testing.assert_close(unnormalize(image), shown, atol=1e-5, rtol=0)

    def test_masks_only_where_nothing_is_learnt(self):
        assert Flowers17(count=1).mask(0) is None
        for split in ("validation", "test"):
            mask = Flowers17(split=split, size=48, count=1).mask(0)
            whole = Flowers17(split=split, count=1).mask(0)
            assert mask.shape == (48, 48) and whole.shape == (96, 96)
            assert abs(mask.mean() - whole.mean()) < 0.02

    def test_lengths_classes_and_ends(self):
        assert [len(Flowers17(split=s)) for s in ("train", "validation", "test")] == [680, 340, 340]
        data = Flowers17(count=17)
        assert len(set(data.classes)) == 17 and data.labels.tolist() == list(range(17))
        with pytest.raises(IndexError):
            data[17]
        assert len(list(data)) == 17

    def test_changing_an_item_changes_no_later_one(self):
        data = Flowers17(count=1, size=32)
        before = data[0][0].clone()
        data[0][0].zero_()
        data.picture(0)[:] = 0
        torch.testing.assert_close(data[0][0], before)

    def test_other_kinds(self):
        images, labels = other_flowers(27, 32)
        assert images.shape == (27, 3, 32, 32)
        assert labels.tolist() == [*range(13), *range(13), 0]


class TestFolder:
    def test_labels_follow_the_numbers_and_splits_the_file(self, folder):
        train = Flowers17(folder, size=16)
        assert len(train) == 34 and train.classes[9] == "sunflower"
        for i in range(len(train)):
            number = round(train.picture(i).mean() / 3)  # counted from 0
            assert train.labels[i] == number // PER_CLASS
            assert number % PER_CLASS < 2
        assert len(Flowers17(folder, "validation")) == len(Flowers17(folder, "test")) == 17

    def test_partitions_differ_and_do_not_overlap(self, folder):
        for partition in (1, 2, 3):
            seen = [
                round(data.picture(i).mean() / 3)
                for split in ("train", "validation", "test")
                for data in [Flowers17(folder, split, 8, partition=partition)]
                for i in range(len(data))
            ]
            assert sorted(seen) == list(range(68))
        first, second = (Flowers17(folder, "test", 8, partition=p).picture(0) for p in (1, 2))
        assert (first != second).any()

    def test_classes_take_turns(self, folder):
        assert Flowers17(folder, count=20).labels.tolist() == [*range(17), 0, 1, 2]

    def test_own_sizes_and_one_size(self, folder):
        assert Flowers17(folder)[0][0].shape[1] == 20
        assert Flowers17(folder, size=24)[0][0].shape == (3, 24, 24)
        assert Flowers17(folder, "test").mask(0) is None

    def test_the_built_in_set_as_a_folder(self, tmp_path):
        write_builtin(tmp_path / "drawn")
        assert len(list((tmp_path / "drawn" / "jpg").iterdir())) == 1360
        for split in ("train", "validation", "test"):
            drawn, stored = Flowers17(split=split), Flowers17(tmp_path / "drawn", split)
            torch.testing.assert_close(drawn.labels, stored.labels)
            # JPEG changes a pixel by a few levels, not a picture's place in the list.
            for i in (0, 18, len(drawn) - 1):
                difference = abs(drawn.picture(i).astype(int) - stored.picture(i))
                assert difference.mean() < 4
        assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"split": "all"}, "split='all', expected one of train, validation, test"),
            ({"size": 0}, "size=0, expected a whole number from 1"),
            ({"count": 2.5}, "count=2.5"),
            ({"root": "nowhere"}, "there is no folder nowhere"),
        ],
    )
    def test_arguments(self, arguments, message):
        with pytest.raises(InputError, match=message):
            Flowers17(**arguments)

    def test_a_partition_that_is_none(self, folder):
        with pytest.raises(InputError, match="partition=4, expected 1, 2 or 3"):
            Flowers17(folder, partition=4)

    def test_a_missing_picture_is_named(self, folder):
        (folder / "jpg" / "image_0012.jpg").unlink()
        with pytest.raises(InputError, match=r"there is no .*image_0012\.jpg"):
            Flowers17(folder)

    def test_half_a_copy(self, folder):
        for number in range(35, 69):
            (folder / "jpg" / f"image_{number:04d}.jpg").unlink()
        with pytest.raises(InputError, match=r"datasplits\.mat, trn1: image 37, expected 1 to 34"):
            Flowers17(folder)

    def test_a_number_that_seventeen_does_not_divide(self, folder):
        (folder / "jpg" / "image_0068.jpg").unlink()
        with pytest.raises(InputError, match="67 pictures, expected equally many of 17 classes"):
            Flowers17(folder)

    def test_no_pictures(self, tmp_path):
        with pytest.raises(InputError, match=r"holds no pictures jpg/image_0001\.jpg"):
            Flowers17(tmp_path)

    def test_splits(self, tmp_path):
        both = write_set(tmp_path / "both", val1=np.array([[3, 5]]), tst1=np.array([[4, 5]]))
        with pytest.raises(InputError, match="image 5 is in "):
            Flowers17(both)
        none = write_set(tmp_path / "none")
        (none / "datasplits.mat").unlink()
        with pytest.raises(InputError, match=r"there is no .*datasplits\.mat: fetch it"):
            Flowers17(none)
        (none / "datasplits.mat").write_bytes(b"no MATLAB file at all, but long enough" * 9)
        with pytest.raises(InputError, match="cannot be read as a MATLAB file"):
            Flowers17(none)
        savemat(none / "datasplits.mat", {"trn1": [[1]]})
        with pytest.raises(InputError, match="has no list val1"):
            Flowers17(none)

    def test_a_damaged_picture(self, folder):
        (folder / "jpg" / "image_0001.jpg").write_bytes(b"not a picture")
        data = Flowers17(folder)
        with pytest.raises(InputError, match=r"image_0001\.jpg is no picture"):
            data[0]

    @pytest.mark.parametrize(
        "listed",
        [[[]], [[1.5]], [[np.nan]], [[np.inf]], [[1 + 2j]], "text", np.array([["a", 1]], object)],
    )
    def test_lists_that_hold_something_else(self, folder, listed):
        savemat(folder / "datasplits.mat", {"trn1": listed, "val1": [[5]], "tst1": [[6]]})
        with pytest.raises(InputError, match="trn1: expected a list of whole numbers, of images"):
            Flowers17(folder)

    @pytest.mark.parametrize("end", range(130, 400, 30))
    def test_splits_that_are_cut_short(self, folder, end):
        path = folder / "datasplits.mat"
        path.write_bytes(path.read_bytes()[:end])
        with pytest.raises(InputError, match=r"datasplits\.mat"):
            Flowers17(folder)


@pytest.mark.skipif(
    not os.environ.get("LABKIT_FLOWERS17"), reason="LABKIT_FLOWERS17 names no Flower-17 folder"
)
def test_the_real_data_set():
    root = os.environ["LABKIT_FLOWERS17"]
    assert len(Flowers17(root)) == 680
    assert Flowers17(root, "test").labels.bincount().min() > 0
