"""The facade data set: built in, from a folder, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from labkit.data import Facade, unnormalize
from labkit.data.facade_folder import part
from labkit.errors import InputError
from labkit.fcn_shapes import works


def write_pair(folder: Path, name: str, size=(40, 30), labels=None, mode="P") -> None:
    """A photograph and its labels, (height, width)."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(len(name))
    pixels = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / f"{name}.jpg")
    if labels is None:
        labels = generator.integers(1, 13, size)
    picture = Image.fromarray(labels.astype(np.uint8), mode="L")
    if mode == "P":
        picture.putpalette([255, 0, 170] * 256)  # colours that have nothing to do with the indices
    picture.convert(mode).save(folder / f"{name}.png")


@pytest.fixture
def folder(tmp_path):
    for i in range(1, 21):
        write_pair(tmp_path / "base", f"cmp_b{i:04d}", size=(30 + i, 64))
    return tmp_path


class TestBuiltin:
    def test_items(self):
        data = Facade(count=2)
        image, labels = data[1]
        assert image.shape == (3, 192, 192) and image.dtype == torch.float32
        assert labels.shape == (192, 192) and labels.dtype == torch.int64
        shown = torch.tensor(data.picture(1)).permute(2, 0, 1) / 255
        torch.testing.assert_close(unnormalize(image), shown, atol=1e-5, rtol=0)
        np.testing.assert_array_equal(labels, data.labels(1))

    def test_resized_labels_are_labels(self):
        data, full = Facade(size=64, count=1), Facade(count=1)
        _, labels = data[0]
        assert labels.shape == (64, 64)
        # Pillow's nearest takes the middle of three.
        np.testing.assert_array_equal(labels, full.labels(0)[1::3, 1::3])

    def test_changing_an_item_changes_no_later_one(self):
        data = Facade(count=1)
        data[0][1].fill_(-5)
        data.picture(0)[:] = 0
        assert data[0][1].min() >= 0 and data.picture(0).any()

    def test_sizes_and_names(self):
        assert [len(Facade(split=s)) for s in ("train", "validation", "test")] == [280, 40, 80]
        assert Facade(split="test", count=2).names == ("test-000", "test-001")
        assert Facade(size=(32, 64), count=1)[0][0].shape == (3, 32, 64)

    def test_ends(self):
        data = Facade(count=3)
        with pytest.raises(IndexError):
            data[3]
        assert len(list(data)) == 3


class TestFolder:
    def test_indices_not_colours_counted_from_zero(self, tmp_path):
        wanted = np.arange(12).reshape(3, 4).repeat(10, 0).repeat(10, 1) + 1
        for i in range(10):
            write_pair(tmp_path / "base", f"cmp_b{i:04d}", (30, 40), wanted)
        image, labels = Facade(tmp_path)[0]
        assert image.shape == (3, 30, 40)
        np.testing.assert_array_equal(labels, wanted - 1)

    def test_the_fair_split_is_disjoint_seeded_and_whole(self, folder):
        names = [Facade(folder, s).names for s in ("train", "validation", "test")]
        assert [len(n) for n in names] == [14, 2, 4]
        assert len({name for part in names for name in part}) == 20
        assert Facade(folder).names == names[0] != Facade(folder, seed=1).names
        assert list(names[0]) == sorted(names[0])

    def test_the_sorted_split_is_that_of_003(self):
        files = [Path(f"base/cmp_b{i:04d}.jpg") for i in range(1, 379)]
        files += [Path(f"extended/cmp_x{i:04d}.jpg") for i in range(1, 229)]
        parts = [part(files, s, "sorted", 0) for s in ("train", "validation", "test")]
        assert [len(p) for p in parts] == [500, 30, 76]
        assert {file.parent.name for file in (*parts[1], *parts[2])} == {"extended"}

    def test_padding_to_the_next_size_that_works(self, folder):
        data = Facade(folder, fit="pad")
        for i, name in enumerate(data.names):
            image, labels = data[i]
            height = 30 + int(name[-4:])
            padded = height if height < 46 else 58
            assert image.shape[1:] == labels.shape == (padded, 64)
            assert (labels[height:] == -1).all() and labels[:height].min() >= 0
            assert (data.picture(i)[height:] == 0).all()

    def test_padding_to_one_size(self, folder):
        assert Facade(folder, size=64, fit="pad")[0][0].shape == (3, 64, 64)
        with pytest.raises(InputError, match=r"of \d+x64 pixels cannot be padded to 32x32"):
            Facade(folder, size=32, fit="pad")[0]

    def test_refuses_a_folder_without_photographs(self, tmp_path):
        with pytest.raises(InputError, match="there is no folder"):
            Facade(tmp_path / "nowhere")
        with pytest.raises(InputError, match="holds no photographs"):
            Facade(tmp_path)

    def test_names_what_is_missing_or_wrong(self, folder):
        base = folder / "base"
        (base / "cmp_b0003.png").unlink()
        with pytest.raises(InputError, match=r"cmp_b0003\.jpg has no labels cmp_b0003\.png"):
            Facade(folder)
        write_pair(base, "cmp_b0003", mode="RGB")
        with pytest.raises(InputError, match=r"cmp_b0003\.png is RGB, expected a palette"):
            Facade(folder)
        write_pair(base, "cmp_b0003")
        Image.new("RGB", (9, 9)).save(base / "cmp_b0003.jpg")
        with pytest.raises(InputError, match=r"9x9 pixels and cmp_b0003\.png 40x30"):
            Facade(folder)
        (base / "cmp_b0003.jpg").write_text("no picture")
        with pytest.raises(InputError, match="is no picture"):
            Facade(folder)

    def test_names_the_file_that_is_cut_short(self, folder):
        for path in (folder / "base" / "cmp_b0003.png", folder / "base" / "cmp_b0003.jpg"):
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
            with pytest.raises(InputError, match=rf"{path.name} cannot be read as a picture"):
                for split in ("train", "validation", "test"):
                    list(Facade(folder, split))
            path.write_bytes(whole)

    def test_labels_that_are_a_folder(self, folder):
        (folder / "base" / "cmp_b0003.png").unlink()
        (folder / "base" / "cmp_b0003.png").mkdir()
        with pytest.raises(InputError, match=r"cmp_b0003\.jpg has no labels cmp_b0003\.png"):
            Facade(folder)

    @pytest.mark.parametrize("index", [0, 13])
    def test_names_a_file_with_a_wrong_index(self, tmp_path, index):
        labels = np.full((30, 40), 5)
        labels[7, 7] = index
        for i in range(10):
            write_pair(tmp_path / "base", f"cmp_b{i:04d}", (30, 40), labels)
        with pytest.raises(InputError, match=f"holds the index {index}, expected 1 to 12"):
            Facade(tmp_path)[0]

    def test_too_few_for_a_split(self, tmp_path):
        write_pair(tmp_path / "base", "cmp_b0001")
        with pytest.raises(InputError, match="1 photographs leave none for train"):
            Facade(tmp_path)

    def test_too_few_for_the_split_of_003(self, folder):
        with pytest.raises(InputError, match="20 photographs cannot be split by 003's positions"):
            Facade(folder, partition="sorted")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "val"}, "split='val', expected one of train, validation, test"),
        ({"fit": "crop"}, "fit='crop'"),
        ({"partition": "random"}, "partition='random'"),
        ({"partition": "sorted"}, "the built-in set has splits of its own"),
        ({"size": 0}, "size=0"),
        ({"size": (64, 0)}, r"size=\(64, 0\)"),
        ({"size": 64.0}, "size=64.0"),
        ({"count": 0}, "count=0"),
        ({"count": -1}, "count=-1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        Facade(**arguments)


@pytest.mark.skipif(
    "LABKIT_REAL_DATA" not in os.environ, reason="LABKIT_REAL_DATA names no folder of real data"
)
def test_the_real_photographs():
    """The base set of CMP: every label file is read, and no class is missing."""
    folder = Path(os.environ["LABKIT_REAL_DATA"]) / "cmp_facade"
    parts = [Facade(folder, split, size=64) for split in ("train", "validation", "test")]
    assert sum(map(len, parts)) >= 378
    assert {int(c) for part in parts for _, labels in part for c in labels.unique()} == set(
        range(12)
    )
    image, labels = Facade(folder, "test", fit="pad")[0]
    assert image.shape[1:] == labels.shape and all(works(side) for side in labels.shape)
