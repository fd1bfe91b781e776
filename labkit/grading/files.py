"""Reading what was handed in: regular files below a limit, and nothing else.

A submission may hold links to files of the instructor's, devices that never end, pipes that block
and sparse files that claim a terabyte. None of them passes: a link is never followed, and no more
than the limit is ever read, whatever a file says of its size.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MAX_EXTRA_FILES = 1000
MAX_DEPTH = 20  # of folders in folders; a thousand are more than Python can remove again
MAX_EXTRA_BYTES = 100_000_000  # of all files beside the notebooks together

# Where a flag is missing (Windows), the kind of file that it is about does not exist either.
# Without O_NONBLOCK, opening a pipe waits for a writer for ever.
_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Refused(Exception):
    """A file that is not read. The message continues a sentence that begins with its name."""


def read_regular(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises:
        Refused: it is anything else, or cannot be read.
    """
    try:
        # Opening a device can already act on it, so its kind is looked at before; and once more
        # on the open file, because the name may have been given to another file in between.
        _must_be_regular(path.lstat(), limit)
        with os.fdopen(os.open(path, _OPEN), "rb") as file:
            _must_be_regular(os.fstat(file.fileno()), limit)
            content = file.read(limit + 1)
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror or type(error).__name__})") from error
    if len(content) > limit:  # it grew meanwhile
        raise Refused(_too_large(limit))
    return content


def _must_be_regular(status: os.stat_result, limit: int) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise Refused("is a link to another file, not a file")
    if stat.S_ISDIR(status.st_mode):
        raise Refused("is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise Refused("is a device or a pipe, not a file")
    if status.st_size > limit:
        raise Refused(_too_large(limit))


def _too_large(limit: int) -> str:
    return f"is larger than {limit / 1e6:g} MB"


def quoted(name: str) -> str:
    """A file name from a submission, fit for a log: one line, escaped, not endless."""
    return repr(name) if len(name) <= 80 else repr(name[:77] + "...")


@dataclass
class Copied:
    """What became of the files beside the notebooks."""

    left_out: list[str] = field(default_factory=list)
    digest: str = ""


def copy_extras(source: Path, destination: Path, limit: int) -> Copied:
    """Copy the regular, small files of a submission, its notebooks aside, to a private folder.

    Args:
        source: the folder that was handed in.
        destination: an existing empty folder.
        limit: bytes that a single file may have.

    Returns:
        A sentence for each file that was left out, and a digest of the files that were copied.
    """
    result = Copied()
    digest = hashlib.sha256()
    room, count = MAX_EXTRA_BYTES, 0
    for path in _extras(source):
        name = path.relative_to(source)
        count += 1
        if count > MAX_EXTRA_FILES:
            result.left_out.append(
                f"Only the first {MAX_EXTRA_FILES} files beside the notebook were used."
            )
            break
        try:
            content = read_regular(path, min(limit, room))
            room -= len(content)
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)  # bytes only: no mode, owner or other attributes
        except (Refused, OSError, ValueError) as error:
            why = str(error) if isinstance(error, Refused) else "cannot be copied"
            result.left_out.append(f"The file {quoted(str(name))} was left out: it {why}.")
            continue
        digest.update(f"{name!a} {len(content)} ".encode() + content)
    result.digest = digest.hexdigest()
    return result


def _extras(source: Path) -> Iterator[Path]:
    """Every name in a folder that is neither a notebook nor a folder; links are not followed.

    Folders that lie too deep or cannot be opened are given, too, and not looked into.
    """
    closed: list[OSError] = []
    for folder, folders, names in os.walk(source, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not _notebook(name))
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        if len(here.relative_to(source).parts) >= MAX_DEPTH:
            links, folders[:] = [*folders], []
        for name in sorted([*names, *links]):
            if not _notebook(name):
                yield here / name
    yield from (Path(error.filename) for error in closed)


def _notebook(name: str) -> bool:
    """Notebooks are examined, not copied; some file systems take X.IPYNB for X.ipynb."""
    return name.lower().endswith((".ipynb", ".ipynb_checkpoints"))
