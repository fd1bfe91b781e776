"""The data set that the first two labs use, built in or from a folder."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from labkit.data import CamSeg, cam_seg_folder, unnormalize, write_builtin
from labkit.data.builtin import cam_seg as builtin
from labkit.data.cam_seg_folder import LabelledPictures, write_folder
from labkit.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """A set of twelve training and ten test pictures of 8x6 with masks of the left half."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (8, 6, 3), dtype=np.uint8) for _ in range(12)]
    mask = np.zeros((8, 6), bool)
    mask[:, :3] = True
    classes = cam_seg_folder.CLASSES
    write_folder(
        tmp_path / "set",
        classes,
        {
            "train": LabelledPictures(pictures, [3, 1, *range(10)]),
            "test": LabelledPictures(pictures[2:], list(range(10))),
        },
        {name: (pictures[i + 2], mask) for i, name in enumerate(classes)},
    )
    return tmp_path / "set"


def test_an_item_is_the_normalised_picture_and_its_label():
    data = CamSeg(split="test")
    image, label = data[13]
    expected = (data.picture(13) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert image.dtype == torch.float32 and image.shape == (3, 96, 96)
    np.testing.assert_allclose(image.permute(1, 2, 0), expected, atol=1e-5)
    assert type(label) is int and label == 3 == data.labels[13]
    assert len(data) == 1000 and data.classes[3] == "rayed star"
    assert data.labels.dtype == torch.int64


def test_unnormalising_gives_the_picture_back():
    data = CamSeg(split="test")
    images = torch.stack([data[0][0], data[1][0]])
    expected = np.stack([data.picture(0), data.picture(1)]).transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(unnormalize(images), expected, atol=1e-6)
    assert unnormalize(torch.full((1, 3, 2, 2), 99.0)).max() == 1


def test_resizing_is_bilinear_with_antialiasing():
    data, small = CamSeg(split="test"), CamSeg(split="test", size=32)
    image, _ = small[5]
    assert image.shape == (3, 32, 32)
    referee = torch.nn.functional.interpolate(
        data[5][0][None], size=32, mode="bilinear", antialias=True
    )[0]
    torch.testing.assert_close(image, referee, atol=1e-4, rtol=1e-4)
    assert small.picture(5).shape == (96, 96, 3)


def test_only_test_pictures_have_masks():
    assert CamSeg(split="train").mask(0) is None
    mask = CamSeg(split="test").mask(7)
    assert np.array_equal(mask, builtin.scenes("test").masks[7])


def test_what_is_handed_out_may_be_changed_without_harm():
    data = CamSeg(split="test")
    before = data[0][0].clone()
    data.picture(0)[:] = 0
    data.mask(0)[:] = False
    data[0][0].zero_()
    assert data.mask(0).any() and torch.equal(data[0][0], before)


def test_it_pickles_and_loads_in_workers(folder):
    data = CamSeg(folder)
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again[4][0], data[4][0]) and again.classes == data.classes
    batches = list(DataLoader(Subset(data, range(8)), batch_size=4, num_workers=1))
    assert [images.shape for images, _ in batches] == [(4, 3, 8, 6)] * 2
    assert torch.equal(torch.cat([labels for _, labels in batches]), data.labels[:8])


def test_a_folder_gives_back_what_was_written(folder):
    data = CamSeg(str(folder), "train")
    assert data.labels.tolist() == [3, 1, *range(10)]
    assert data.classes == cam_seg_folder.CLASSES
    sources = CamSeg(folder, "test").sources()
    assert list(sources) == list(cam_seg_folder.CLASSES)
    picture, mask = sources["bird"]
    assert np.array_equal(picture, data.picture(4))
    assert mask.dtype == np.bool_ and mask[:, :3].all() and not mask[:, 3:].any()
    assert data.mask(0) is None


def test_the_builtin_set_survives_the_way_through_a_folder(tmp_path, monkeypatch):
    first = {s: builtin.Scenes(*(a[:20] for a in builtin.scenes(s))) for s in builtin.COUNT}
    monkeypatch.setattr(builtin, "scenes", first.get)
    write_builtin(tmp_path / "set")
    for split in ("train", "test"):
        data, made = CamSeg(tmp_path / "set", split), CamSeg(split=split)
        assert data.classes == made.classes and torch.equal(data.labels, made.labels)
        assert all(torch.equal(a[0], b[0]) for a, b in zip(data, made, strict=True))
    for a, b in zip(data.sources().values(), made.sources().values(), strict=True):
        assert np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="split='validation', expected 'train' or 'test'"):
        CamSeg(split="validation")
    for value in (0, 2.5):
        with pytest.raises(InputError, match=f"size={value}, expected a whole number"):
            CamSeg(size=value)
        with pytest.raises(InputError, match=f"count={value}, expected a whole number"):
            CamSeg(count=value)


def test_a_few_pictures_are_the_first_of_all(folder):
    few, every = CamSeg(split="test", count=25), CamSeg(split="test")
    assert len(few) == 25
    for i in (0, 7, 24):
        assert np.array_equal(few.picture(i), every.picture(i))
        assert np.array_equal(few.mask(i), every.mask(i))
        assert few.labels[i] == every.labels[i]
    assert len(CamSeg(split="test", count=5000)) == 1000
    assert len(CamSeg(folder, count=3)) == 3


def test_a_picture_is_prepared_as_the_items_are():
    data = CamSeg(split="test", size=40, count=8)
    assert torch.equal(data.prepare(data.picture(7)), data[7][0])


def test_pictures_of_several_sizes_need_a_size(folder):
    from PIL import Image

    Image.new("RGB", (9, 9)).save(folder / "train" / "00000.png")
    with pytest.raises(InputError, match=r"differ in size \(8x6, 9x9, …\).*pass size="):
        CamSeg(folder)
    assert CamSeg(folder, size=4)[0][0].shape == (3, 4, 4)


@pytest.mark.skipif(
    "LABKIT_REAL_DATA" not in os.environ, reason="LABKIT_REAL_DATA names no folder of real data"
)
def test_real_pictures_in_the_documents_layout():
    root = Path(os.environ["LABKIT_REAL_DATA"]) / "cifar10"
    data = CamSeg(root, "test", size=96)
    assert data.classes == cam_seg_folder.CLASSES
    assert data[0][0].shape == (3, 96, 96) and len(data) == len(data.labels)
    assert all(mask.any() and not mask.all() for _, mask in data.sources().values())
