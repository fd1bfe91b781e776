"""Public data sets from their official addresses: resumed, verified, never half-made."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import pooch
import requests
from torchvision.datasets import CIFAR10
from tqdm.auto import tqdm

from labkit.data import catalog, facade_folder, flowers17_folder
from labkit.data.cam_seg_folder import CLASSES, LabelledPictures, check_absent, write_folder
from labkit.errors import InputError

_SECONDS = 30  # of silence before a connection counts as cut
_CHUNK = 1 << 18
# What zipfile raises: also of a method that it does not know, and of an encrypted member.
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def cache_folder() -> Path:
    """Where downloads are kept: `LABKIT_CACHE`, or the operating system's cache for labkit."""
    return Path(os.environ.get("LABKIT_CACHE") or pooch.os_cache("labkit")).expanduser()


def fetch(archive: catalog.Archive) -> Path:
    """The archive in the cache, downloaded first where it is not there yet.

    A cut download keeps what came in a `.part` file, and the next call goes on from there. Only a
    file with the right checksum gets the archive's name.

    Raises:
        InputError: it cannot be downloaded whole, or is not the known file; says what to do.
    """
    folder = cache_folder()
    part = folder / f"{archive.name}.part"
    by_hand = f"fetch {archive.url} by other means and put {archive.name} into {folder}"
    try:
        path = pooch.retrieve(
            archive.url,
            known_hash=archive.checksum,
            fname=archive.name,
            path=folder,
            downloader=_Resuming(part),
        )
    except requests.RequestException as error:
        kept = f"; {part} keeps what came, and another try goes on from there"
        raise InputError(
            f"{archive.url} cannot be downloaded ({error}){kept if part.exists() else ''}: try "
            f"again with a network, or {by_hand}"
        ) from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise InputError(
            f"{archive.url} gave a file that is not the known one (expected {archive.checksum}) "
            f"and nothing of it was kept: try again, or {by_hand}"
        ) from error
    except OSError as error:
        raise InputError(
            f"{archive.name} cannot be written into {folder} ({error}): make room there, or set "
            "LABKIT_CACHE to another folder"
        ) from error
    return Path(path)


class _Resuming:
    """A pooch downloader that collects bytes in a `.part` file and asks only for the rest.

    Pooch hands over a temporary name, verifies what is put there, and removes it when it is wrong.
    """

    def __init__(self, part: Path) -> None:
        self._part = part

    def __call__(
        self, url: str, output_file: str, _pooch: object, check_only: bool = False
    ) -> None:
        have = self._part.stat().st_size if self._part.exists() else 0
        # Compression on the way would make positions in the file and on the wire differ.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=_SECONDS) as response:
            nothing_left = response.status_code == requests.codes.requested_range_not_satisfiable
            if not nothing_left:
                response.raise_for_status()
                if response.status_code != requests.codes.partial_content:
                    have = 0  # the server knows no ranges and sends the whole file
                self._receive(response, have)
        self._part.replace(output_file)

    def _receive(self, response: requests.Response, have: int) -> None:
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        with (
            self._part.open("ab" if have else "wb") as file,
            tqdm(
                total=total, initial=have, unit="B", unit_scale=True, desc=self._part.stem
            ) as progress,
        ):
            for chunk in response.iter_content(_CHUNK):
                progress.update(file.write(chunk))


def cam_seg_from_cifar10(to: str | Path) -> None:
    """Make the CAM/SEG folder from CIFAR-10: 50,000 training and 10,000 test pictures of 32x32.

    It has no masks, which nobody drew for CIFAR-10; its `CamSeg.sources()` says so.

    Raises:
        InputError: `to` exists, its parent does not, or the archive cannot be had.
    """
    check_absent(Path(to))
    root = fetch(catalog.CIFAR10).parent
    train, test = (CIFAR10(str(root), train=train, download=True) for train in (True, False))
    write_folder(
        to,
        CLASSES,
        {
            "train": LabelledPictures(train.data, train.targets),
            "test": LabelledPictures(test.data, test.targets),
        },
    )


FACADES = ((catalog.CMP_FACADE_BASE, "base", 378), (catalog.CMP_FACADE_EXTENDED, "extended", 228))


def cmp_facade(to: str | Path) -> None:
    """Make the folder of the CMP Facade Database: 606 photographs with labels, both sets.

    Its authors publish no checksum. So every file is held against the sum inside its archive, and
    all 606 pairs must be there, of one size and labelled 1 to 12, before the folder appears.

    Raises:
        InputError: `to` exists, its parent does not, an archive cannot be had, or what is inside is
            not the database.
    """
    to = Path(to)
    check_absent(to)
    archives = [(fetch(archive), archive, name, n) for archive, name, n in FACADES]
    with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as scratch:
        draft = Path(scratch) / "facade"
        for path, archive, name, n in archives:
            try:
                _unpack(path, name, draft)
                _check_facades(draft, name, n)
            except (InputError, OSError, *_BAD_ZIP) as error:
                path.unlink()  # or the next try would find it again
                raise InputError(
                    f"{archive.url} gave something else than the {n} facades of {name} ({error}) "
                    "and was not kept: try again"
                ) from error
        shutil.move(draft, to)


def _unpack(archive: Path, name: str, to: Path) -> None:
    """The pictures of folder `name` of a zip file; reading a file checks its CRC-32."""
    (to / name).mkdir(parents=True)
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            path = Path(member.filename)
            if path.parent.name == name and path.suffix in (".jpg", ".png", ".xml"):
                (to / name / path.name).write_bytes(bundle.read(member))


def _check_facades(root: Path, name: str, n: int) -> None:
    files = [file for file in facade_folder.read_index(root) if file.parent.name == name]
    if len(files) != n:
        raise InputError(f"{len(files)} photographs")
    for file in files:
        facade_folder.read_sample(file)


def flowers17(to: str | Path) -> None:
    """Make the folder of the 17 Category Flower Dataset: 1,360 pictures and three splits.

    Raises:
        InputError: `to` exists, its parent does not, or a file cannot be had or read.
    """
    to = Path(to)
    check_absent(to)
    archive, splits = fetch(catalog.FLOWERS17), fetch(catalog.FLOWERS17_SPLITS)
    with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as scratch:
        draft = Path(scratch) / "flowers17"
        (draft / "jpg").mkdir(parents=True)
        shutil.copy(splits, draft / "datasplits.mat")
        try:
            with tarfile.open(archive) as bundle:
                for member in bundle:
                    name = Path(member.name).name
                    if member.isfile() and re.fullmatch(r"image_\d{4}\.jpg", name):
                        content = bundle.extractfile(member)
                        assert content is not None  # of a regular file there always is one
                        (draft / "jpg" / name).write_bytes(content.read())
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise InputError(f"{archive} cannot be unpacked: {error}") from error
        for partition in flowers17_folder.PARTITIONS:
            flowers17_folder.read_split(draft, "train", partition)
        shutil.move(draft, to)
