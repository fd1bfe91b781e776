"""Files that others made: each is read, or refused with its name and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from labkit.errors import InputError


def check_folder(root: Path) -> None:
    """Refuse the root of a data set that is no folder.

    Raises:
        InputError: it is none.
    """
    try:
        found = root.is_dir()
    except OSError:  # a name that is too long to be one
        found = False
    if not found:
        raise InputError(f"there is no folder {root}: check root, or take root='builtin'")


def read_lines(path: Path) -> list[str]:
    """The lines of a text in UTF-8; a byte order mark is no part of the first one.

    Raises:
        InputError: the file cannot be read, or is no such text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error}): save it as text") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the file") from error


@contextmanager
def opened_picture(path: Path) -> Iterator[Image.Image]:
    """A picture file; whatever goes wrong while it is read is said of this file.

    Raises:
        InputError: there is no such file, or it is no picture that Pillow can read whole.
    """
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise InputError(f"{path} cannot be read as a picture: it is no file")
        with Image.open(path) as picture:
            yield picture
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: check the path to the picture") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is no picture (PNG, JPEG, …): give a picture file") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} is too large ({error}): give a smaller picture") from error
    except Exception as error:  # Pillow's readers of damaged files fail in every possible way
        raise InputError(
            f"{path} cannot be read as a picture ({error}): it may be cut short; copy it again"
        ) from error
