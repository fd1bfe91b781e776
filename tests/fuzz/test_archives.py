"""Archives of data sets: unpacked whole, or refused in a sentence, with nothing left behind."""

import io
import tarfile
import zipfile
from unittest.mock import patch

import numpy as np
import pytest
from fuzz.inputs import damaged, folder, result_or_refusal
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from labkit.data import catalog, fetch

# Damaged input may make other libraries warn; what counts is what comes of it.
pytestmark = pytest.mark.filterwarnings("ignore")


def picture(kind, mode, value):
    Image.new(mode, (6, 4), (value,) * len(mode)).save(file := io.BytesIO(), kind)
    return file.getvalue()


def zip_file(method):
    with zipfile.ZipFile(file := io.BytesIO(), "w", method) as bundle:
        for i in range(2):
            bundle.writestr(f"base/cmp_{i:04d}.jpg", picture("JPEG", "RGB", 7 * i))
            bundle.writestr(f"base/cmp_{i:04d}.png", picture("PNG", "L", 5))
    return file.getvalue()


def tar_file(mode):
    with tarfile.open(fileobj=(file := io.BytesIO()), mode=mode) as bundle:
        for i in range(1, 35):
            member = tarfile.TarInfo(f"jpg/image_{i:04d}.jpg")
            content = picture("JPEG", "RGB", 7 * i)
            member.size = len(content)
            bundle.addfile(member, io.BytesIO(content))
    return file.getvalue()


def splits():
    numbers = np.arange(1, 35)[None]
    parts = {"trn": numbers[:, ::2], "val": numbers[:, 1:9:2], "tst": numbers[:, 9::2]}
    savemat(file := io.BytesIO(), {f"{n}{p}": part for n, part in parts.items() for p in (1, 2, 3)})
    return file.getvalue()


ZIPS = [zip_file(method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
TARS, SPLITS = [tar_file(mode) for mode in ("w", "w:gz")], splits()


def unpacked(make, archives):
    """Whether the data set was made of archives in the cache; if not, nothing is there."""
    with folder() as place:
        (cache := place / "cache").mkdir()
        for name, content in archives.items():
            (cache / name).write_bytes(content)
        (work := place / "work").mkdir()
        with patch.object(fetch, "fetch", lambda archive: cache / archive.name):
            result_or_refusal(lambda: make(work / "set"))
        made = (work / "set").exists()
        assert [path.name for path in work.iterdir()] == (["set"] if made else [])
        return made and sorted(path.name for path in (work / "set").rglob("*") if path.is_file())


def facades(content):
    found = catalog.Archive("base.zip", "http://127.0.0.1:9/none", None, "none", "nobody")
    with patch.object(fetch, "FACADES", ((found, "base", 2),)):
        return unpacked(fetch.cmp_facade, {"base.zip": content})


def flowers(content):
    archives = {catalog.FLOWERS17.name: content, catalog.FLOWERS17_SPLITS.name: SPLITS}
    return unpacked(fetch.flowers17, archives)


def test_good_ones_are_unpacked():
    for content in ZIPS:
        assert facades(content) == [f"cmp_000{i}.{end}" for i in range(2) for end in ("jpg", "png")]
    for content in TARS:
        assert len(flowers(content)) == 35


@given(st.sampled_from(ZIPS).flatmap(damaged))
def test_facades(content):
    assert len(facades(content) or range(4)) == 4


@given(st.sampled_from(TARS).flatmap(damaged))
def test_flowers(content):
    assert len(flowers(content) or range(35)) == 35
