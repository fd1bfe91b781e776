"""Reading what was handed in: regular files below a limit, and nothing else.

A submission may hold links to files of the instructor's, devices that never end, pipes that block
and sparse files that claim a terabyte. None of them passes: a link is never followed, and no more
than the limit is ever read, whatever a file says of its size.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePath

MAX_EXTRA_FILES = 1000
MAX_NAMES = 5000  # of files and folders that are looked at; a folder may hold millions
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


def copy_extras(
    source: Path,
    destination: Path,
    limit: int,
    ignore: Collection[str] = (),
    taken: Set[PurePath] = frozenset(),
) -> Copied:
    """Copy the regular, small files of a submission, its notebooks aside, to a private folder.

    Args:
        source: the folder that was handed in.
        destination: an existing empty folder.
        limit: bytes that a single file may have.
        ignore: patterns of names that are passed over, as nbgrader does.
        taken: files of the lab, which will lie in the same place and go before.

    Returns:
        A sentence for each file that was left out, and a digest of the files that were copied.
    """
    result = Copied()
    digest = hashlib.sha256()
    room, count = MAX_EXTRA_BYTES, 0
    folders = {folder for path in taken for folder in path.parents[:-1]}
    for path in files_below(source, ignore):
        count += 1
        if path is None or count > MAX_EXTRA_FILES:
            result.left_out.append(
                f"Only the first {MAX_EXTRA_FILES} files beside the notebook were used."
                if path
                else f"There are more than {MAX_NAMES} names beside the notebook: please look."
            )
            break
        name = path.relative_to(source)
        try:
            if name in folders or not taken.isdisjoint(name.parents):
                raise Refused("has a name that the lab's own files need")
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


def put(source: Path, destination: Path) -> None:
    """Put files that were copied where they are to lie, in the place of what lies there."""
    for path in sorted(source.rglob("*")):
        target = destination / path.relative_to(source)
        if target.is_dir() != path.is_dir():
            _remove(target)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.unlink(missing_ok=True)  # what nbgrader has put there cannot be written to
            shutil.copyfile(path, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def names(folder: Path) -> list[Path]:
    """What is in a folder, in order; not all of it if that is endless."""
    with os.scandir(folder) as found:
        return sorted(folder / entry.name for entry in islice(found, MAX_NAMES))


def files_below(source: Path, ignore: Collection[str] = ()) -> Iterator[Path | None]:
    """Every name in a folder that is neither a notebook nor a folder; links are not followed.

    Folders that lie too deep or cannot be opened are given, too, and not looked into. None comes
    last if there are more names than are looked at.
    """
    room, folders = MAX_NAMES, [source]
    while folders:
        here = folders.pop()
        deep = len(here.relative_to(source).parts) >= MAX_DEPTH
        try:
            with os.scandir(here) as found:
                entries = sorted(islice(found, room + 1), key=lambda entry: entry.name)
        except OSError:
            yield here
            continue
        if len(entries) > room:
            yield None
            return
        room -= len(entries)
        below = []
        for entry in entries:
            if _notebook(entry.name) or _ignored(entry.name, ignore):
                continue
            if entry.is_dir(follow_symlinks=False) and not deep:
                below.append(here / entry.name)
            else:
                yield here / entry.name
        folders += reversed(below)


def _ignored(name: str, patterns: Collection[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(name, pattern) and (pattern[0] == "." or name[0] != ".")
        for pattern in patterns
        if pattern
    )


def _notebook(name: str) -> bool:
    """Notebooks are examined, not copied; some file systems take X.IPYNB for X.ipynb."""
    return name.lower().endswith((".ipynb", ".ipynb_checkpoints"))
