"""Single pictures of every kind become uint8 RGB; what is none says so."""

import os
import zlib

import numpy as np
import pytest
from PIL import Image

from labkit.data import imagenet_labels, load_picture, photos
from labkit.data.photos import skimage_photo
from labkit.errors import InputError


def test_photos_are_the_motorcycle_and_the_cat():
    shapes = {name: (picture.shape, picture.dtype) for name, picture in photos().items()}
    assert shapes == {"motorcycle": ((500, 741, 3), np.uint8), "cat": ((300, 451, 3), np.uint8)}


def test_imagenet_labels_are_in_the_order_of_scores():
    labels = imagenet_labels()
    assert len(labels) == 1000
    assert (labels[0], labels[281], labels[671]) == ("tench", "tabby", "mountain bike")


def test_a_photograph_that_scikit_image_lacks_is_reported():
    with pytest.raises(InputError, match=r"no .*unicorn\.png.*reinstall"):
        skimage_photo("unicorn")


RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10


def test_colour_stays_and_grey_becomes_three_equal_channels(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "rgb.png")
    Image.fromarray(RGB[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(load_picture(tmp_path / "rgb.png"), RGB)
    assert np.array_equal(load_picture(str(tmp_path / "grey.png")), RGB[..., :1].repeat(3, 2))


def test_a_palette_gives_its_colours_not_its_indices(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.save(tmp_path / "palette.png")
    assert load_picture(tmp_path / "palette.png").tolist() == [[[10, 20, 30], [200, 100, 0]]]


def test_transparent_pixels_are_white(tmp_path):
    rgba = np.array([[[9, 9, 9, 0], [9, 9, 9, 255]]], np.uint8)
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    assert load_picture(tmp_path / "rgba.png").tolist() == [[[255, 255, 255], [9, 9, 9]]]


def test_a_camera_turn_is_undone(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: show a quarter turn clockwise
    Image.fromarray(RGB).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(load_picture(tmp_path / "turned.png"), np.rot90(RGB, -1))


def test_what_is_no_picture_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*none\.png"):
        load_picture(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InputError, match=r"text\.png is no picture"):
        load_picture(tmp_path / "text.png")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        load_picture(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    with pytest.raises(InputError, match=r"cut\.png cannot be read as a picture.*cut short"):
        load_picture(tmp_path / "cut.png")


def test_a_picture_that_says_it_is_gigantic(tmp_path):
    Image.new("RGB", (4, 4)).save(path := tmp_path / "bomb.png")
    content = bytearray(path.read_bytes())
    content[16:24] = (100_000).to_bytes(4, "big") * 2  # width and height
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bomb\.png is too large .* give a smaller picture"):
        load_picture(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match=r"pipe\.png cannot be read as a picture: it is no file"):
        load_picture(tmp_path / "pipe.png")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(InputError, match="it may be cut short; copy it again"):
        load_picture(name)
