"""Folders of data sets: what is read is right, or refused with the name of the file."""

import io

import numpy as np
import pytest
from fuzz.inputs import damaged, folder, json_values, result_or_refusal, text_files
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from labkit.data import CamSeg, Dagm, Facade, Flowers17, load_picture
from labkit.data.cam_seg_folder import CLASSES, read_classes, read_sources
from labkit.data.dagm_folder import read_ellipses
from labkit.data.flowers17_folder import read_numbers

# Damaged input may make other libraries warn; what counts is what comes of it.
pytestmark = pytest.mark.filterwarnings("ignore")

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (12, 10, 3), dtype=np.uint8)
LABELS = GENERATOR.integers(1, 13, (12, 10), dtype=np.uint8)


def encoded(pixels, kind="PNG", mode=None, **options):
    image = Image.fromarray(pixels)
    if mode == "palette":
        image = Image.fromarray(pixels, "L")
        image.putpalette([255, 0, 170] * 256)
    elif mode:
        image = image.convert(mode)
    image.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def with_exif():
    exif = Image.Exif()
    exif[274], exif[306] = 6, "2024:01:01"
    return encoded(PIXELS, "JPEG", exif=exif)


KINDS = {"JPEG": None, "PNG": None, "GIF": "P", "TIFF": None, "WEBP": None, "BMP": "1", "PPM": None}
GOOD = {
    **{kind: encoded(PIXELS, kind, mode) for kind, mode in KINDS.items()},
    "exif": with_exif(),
    "interlaced": encoded(PIXELS, "JPEG", progressive=True),
    "alpha": encoded(PIXELS, "PNG", "RGBA"),
    "palette": encoded(LABELS, "PNG", "palette"),
    "sixteen": encoded(LABELS.astype(np.uint16)),
}


def huge_png():
    """A header that promises 100,000 x 100,000 pixels."""
    content = bytearray(encoded(PIXELS))
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


HUGE = huge_png()


def pictures(*kinds):
    """Bytes of pictures: good ones, damaged ones, and what is none."""
    good = st.sampled_from([GOOD[kind] for kind in kinds or GOOD])
    return st.one_of(
        good, good.flatmap(damaged), good.flatmap(damaged), st.binary(max_size=40), st.just(HUGE)
    )


@given(pictures())
def test_a_picture(content):
    with folder() as place:
        (path := place / "picture.png").write_bytes(content)
        found = result_or_refusal(lambda: load_picture(path), path)
    if found is not None:
        assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3 and found.size


TRAIN = [f"{i:05d}.png {i % 10}" for i in range(6)]
NAMES = [f"{label} {name}" for label, name in enumerate(CLASSES)]


def cam_seg(place, index, picture=None):
    (place / "train").mkdir()
    for i in range(6):
        (place / "train" / f"{i:05d}.png").write_bytes(GOOD["PNG"])
    if picture is not None:
        (place / "train" / "00003.png").write_bytes(picture)
    (place / "train_cls.txt").write_bytes(index)


@given(text_files(TRAIN))
def test_an_index_of_pictures(index):
    with folder() as place:
        cam_seg(place, index)
        data = result_or_refusal(lambda: CamSeg(place), place / "train_cls.txt")
    if data is not None:
        assert 1 <= len(data) == len(data.labels) <= 6
        assert set(data.labels.tolist()) <= set(range(10))


@given(pictures())
def test_a_picture_of_an_index(picture):
    with folder() as place:
        cam_seg(place, "\n".join(TRAIN).encode(), picture)
        data = result_or_refusal(lambda: CamSeg(place), place)
    if data is not None:
        assert len(data) == 6 and data[3][0].shape == (3, *data.picture(3).shape[:2])


@given(text_files(NAMES))
def test_names_of_classes(content):
    with folder() as place:
        (path := place / "classes.txt").write_bytes(content)
        found = result_or_refusal(lambda: read_classes(place), path)
    if found is not None:
        assert len(found) == len(set(found)) == 10
        for name in found:  # each becomes the name of a file
            assert name.strip() and name.isprintable() and not set(name) & set("/\\")


@given(pictures(), pictures())
def test_a_picture_and_its_mask(picture, mask):
    with folder() as place:
        for part, content in (("test_seg_source", picture), ("test_seg", mask)):
            (place / part).mkdir()
            (place / part / "cat.png").write_bytes(content)
        found = result_or_refusal(lambda: read_sources(place, ["cat"]), place, "cat.png")
    if found is not None:
        pixels, where = found["cat"]
        assert pixels.shape[:2] == where.shape and where.dtype == bool


@given(pictures("JPEG", "exif", "interlaced"), pictures("palette", "PNG", "sixteen", "alpha"))
def test_a_facade(photograph, labels):
    with folder() as place:
        (place / "base").mkdir()
        for i in range(10):
            (place / "base" / f"cmp_b{i}.jpg").write_bytes(GOOD["JPEG"])
            (place / "base" / f"cmp_b{i}.png").write_bytes(GOOD["palette"])
        (place / "base" / "cmp_b3.jpg").write_bytes(photograph)
        (place / "base" / "cmp_b3.png").write_bytes(labels)

        def read():
            data = [Facade(place, split) for split in ("train", "validation", "test")]
            return [part.labels(i) for part in data for i in range(len(part))]

        found = result_or_refusal(read, "cmp_b3")
    if found is not None:
        assert len(found) == 10
        assert all(set(np.unique(labels)) <= set(range(12)) for labels in found)


def mat_file(compressed=False, **changes):
    numbers = {
        f"{name}{partition}": np.arange(1 + 17 * i, 18 + 17 * i)[None].astype(float)
        for partition in (1, 2, 3)
        for i, name in enumerate(("trn", "val", "tst"))
    }
    savemat(file := io.BytesIO(), numbers | changes, do_compression=compressed)
    return file.getvalue()


ODD_LISTS = [
    *[np.array([[]]), np.array([[1.5]]), np.array([[np.nan]]), np.array([[np.inf]]), "text"],
    *[np.array([[2.0, 2.0]]), np.array([[-1.0]]), np.array([[1e300]]), np.array([[1 + 2j]])],
    *[{"a": 1}, np.array([["a", 1]], object), np.zeros((2, 2, 2)), np.array([[True]])],
    *[np.array([[10**18]], np.uint64), np.array([[3]], np.int8)],
]


@given(
    st.sampled_from(ODD_LISTS).map(lambda odd: mat_file(trn1=odd))
    | damaged(mat_file())
    | damaged(mat_file())
    | damaged(mat_file(compressed=True))
    | st.binary(max_size=200)
)
def test_numbers_of_flowers(content):
    with folder() as place:
        (path := place / "datasplits.mat").write_bytes(content)
        found = result_or_refusal(lambda: read_numbers(place, 1, 51), path)
    if found is not None:
        every = [number for numbers in found.values() for number in numbers]
        assert len(every) == len(set(every)) and set(every) <= set(range(1, 52))
        assert all(found.values())


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    root = tmp_path_factory.mktemp("flowers")
    (root / "jpg").mkdir()
    for i in range(51):
        (root / "jpg" / f"image_{i + 1:04d}.jpg").write_bytes(GOOD["JPEG"])
    (root / "datasplits.mat").write_bytes(mat_file())
    return root


@given(picture=pictures("JPEG", "exif"), size=st.sampled_from([None, 8]))
def test_a_flower(flowers, picture, size):
    (path := flowers / "jpg" / "image_0001.jpg").write_bytes(picture)
    item = result_or_refusal(lambda: Flowers17(flowers, size=size)[0], path)
    if item is not None:
        assert item[0].shape[0] == 3 and item[1] == 0


@given(
    st.lists(
        st.sampled_from([*range(53), 9999]).map("image_{:04d}.jpg".format)
        | st.sampled_from(["image_٠٠٠١.jpg", "image_00001.jpg", "Image_0001.jpg", "x.jpg"]),
        max_size=3,
        unique=True,
    )
)
def test_flowers_missing_or_more(changed):
    with folder() as place:
        (place / "jpg").mkdir()
        (place / "datasplits.mat").write_bytes(mat_file())
        for i in range(51):
            (place / "jpg" / f"image_{i + 1:04d}.jpg").touch()
        for name in changed:
            path = place / "jpg" / name
            path.unlink() if path.exists() else path.touch()
        data = result_or_refusal(lambda: Flowers17(place), place)
    if data is not None:
        assert sorted(data.labels.tolist()) == [i // 3 for i in range(17)]


ELLIPSES = [f"{i}\t30.5\t12.{i}\t-1.2\t100\t{i}7.5".replace("\t", " ") for i in range(1, 6)]


@given(text_files(ELLIPSES))
def test_ellipses(content):
    with folder() as place:
        (path := place / "labels.txt").write_bytes(content)
        found = result_or_refusal(lambda: read_ellipses(path), path)
    for ellipse in (found or {}).values():
        assert np.isfinite(ellipse).all() and min(ellipse[:2]) > 0 and len(ellipse) == 5


@given(pictures("PNG", "sixteen", "palette"), text_files(ELLIPSES), st.integers(0, 2))
def test_dagm(picture, index, which):
    with folder() as place:
        for part in ("Class1", "Class1_def"):
            (place / part).mkdir()
            for i in range(1, 6):
                (place / part / f"{i}.png").write_bytes(GOOD["PNG"])
        if which == 0:
            (place / "Class1_def" / "2.png").write_bytes(picture)
        lines = index if which == 1 else "\n".join(ELLIPSES).encode()
        (place / "Class1_def" / "labels.txt").write_bytes(lines)
        if which == 2:
            (place / "Class²").mkdir()

        def read():
            parts = [Dagm(place, split, problem=1) for split in ("train", "test")]
            return [part[i] for part in parts for i in range(len(part))]

        result_or_refusal(read, place)


@given(pictures("PNG", "JPEG"), pictures("PNG", "palette"))
def test_tiles(picture, mask):
    with folder() as place:
        for kind in ("MT_Crack", "MT_Free"):
            (place / kind / "Imgs").mkdir(parents=True)
            for i in range(4):
                (place / kind / "Imgs" / f"{i}.jpg").write_bytes(GOOD["JPEG"])
                (place / kind / "Imgs" / f"{i}.png").write_bytes(GOOD["palette"])
        (place / "MT_Crack" / "Imgs" / "2.jpg").write_bytes(picture)
        (place / "MT_Crack" / "Imgs" / "2.png").write_bytes(mask)

        def read():
            part = Dagm(place, "train", problem=None)
            return [part[i] for i in range(len(part))]

        result_or_refusal(read, place)


@given(json_values(), st.sampled_from(["size", "count"]))
def test_arguments(value, name):
    """From a run's config.json."""
    for make in (Facade, Flowers17, CamSeg):
        result_or_refusal(lambda make=make: make("/nowhere", **{name: value}))


@pytest.mark.parametrize("make", [CamSeg, Facade, Flowers17, Dagm])
@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800", "", "x\n" * 10])
def test_names_of_folders(make, name):
    assert result_or_refusal(lambda: make(name)) is None
