"""What is wrong when nothing can be stored: a full disk, a gradebook that is old, locked or gone.

None of that is a submission's doing. The next one would meet it as well, so a run ends with it, and
says what it is in a sentence.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.api import Base
from sqlalchemy import URL, Connection, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from labkit.errors import InputError
from labkit.grading.course import Folders

AGAIN = "then run the same command again"
_LITTLE = 100_000  # bytes: no room for a notebook
_DISK = {
    errno.ENOSPC: "no space is left on the disk of {}: make room",
    errno.EDQUOT: "your share of the disk of {} is used up: make room",
    errno.EROFS: "the disk of {} can only be read: make it writable",
    errno.EIO: "the disk of {} fails: look at it, and at your copies",
}
_UPGRADE = "make a copy, run `nbgrader db upgrade` in the course folder"
# What SQLite says, and what to say of a gradebook.
_SQLITE = {
    "database is locked": "{} is being written by another program: close that one",
    "readonly database": "{} cannot be written: see whose it and its folder are",
    "unable to open": "{} cannot be opened: see whether its folder is there, and whose it is",
    "not a database": "{} is no database of SQLite's: put your copy in its place",
    "malformed": "{} is damaged: put your copy in its place",
    "disk I/O error": "the disk of {} fails: look at it, and at your copies",
    "no such column": "{} is of an older nbgrader: " + _UPGRADE,
    "no such table": "{} is of an older nbgrader: " + _UPGRADE,
    "has no column": "{} is of an older nbgrader: " + _UPGRADE,
}


class Stuck(BaseException):
    """Nothing can be stored any more; the message is a sentence that says why.

    No Exception: nbgrader logs each of those with its traceback, and takes the next submission.
    """


@contextmanager
def noticing(folders: Folders, instead: type[BaseException] = Stuck) -> Iterator[None]:
    """Raise Stuck, or what is given, in the place of an error of the disk or the gradebook."""
    try:
        yield
    except Exception as error:
        if said := trouble(error, folders):
            raise instead(said) from error
        raise


def check(folders: Folders, *, write: bool) -> None:
    """Look at the gradebook before work begins; one that is not there yet is fine.

    Args:
        folders: of the course.
        write: marks are to be written.

    Raises:
        InputError: it cannot be used.
    """
    file = folders.gradebook()
    if file is not None and not file.exists():
        return
    if write and file is None and not folders.directory.course_id:
        # SQLite stores labs of a course that there is not; other databases refuse to.
        raise InputError(
            f"{_named(folders)} needs the name of a course, which nbgrader leaves empty: set "
            "c.CourseDirectory.course_id in nbgrader_config.py"
        )
    try:
        engine = create_engine(_address(folders))
        try:
            with engine.connect() as connection:
                if problem := _of_another_nbgrader(connection):
                    raise InputError(f"{_named(folders)} {problem}")
                if write and file is not None:
                    # Also SQLite's journal beside it has to be written.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    connection.exec_driver_sql("CREATE TABLE labkit_probe (n INTEGER)")
                    connection.rollback()
        finally:
            engine.dispose()
    except ModuleNotFoundError as error:
        raise InputError(
            f"{_named(folders)} needs a driver that is missing ({error}): install it"
        ) from error
    except SQLAlchemyError as error:
        why = f"{_named(folders)} cannot be used: {str(error).splitlines()[0]}"
        raise InputError(trouble(error, folders) or why) from error


def trouble(error: BaseException, folders: Folders) -> str | None:
    """What is wrong with the disk or the gradebook, and what to do.

    Args:
        error: what was raised, perhaps because of something else.
        folders: of the course.

    Returns:
        A sentence without its full stop; None if an error comes from elsewhere.
    """
    for cause in _causes(error):
        if said := _said(cause, folders):
            return f"{said}, {AGAIN}"
    full = next((place for place in _places(folders) if _is_full(place)), None)
    return f"{_DISK[errno.ENOSPC].format(full)}, {AGAIN}" if full else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _said(error: BaseException, folders: Folders) -> str | None:
    """As `trouble`, of one error of a chain."""
    if isinstance(error, OSError) and error.errno in _DISK:
        where = error.filename if isinstance(error.filename, str) else None
        full = (place for place in _places(folders) if _is_full(place))
        return _DISK[error.errno].format(where or next(full, folders.root))
    if isinstance(error, NoSuchModuleError):
        return f"{_named(folders)} needs a driver that is missing ({error}): install it"
    if not isinstance(error, DBAPIError):
        return None
    said = str(error.orig)
    if isinstance(error.orig, sqlite3.Error):
        if "database or disk is full" in said:
            return _DISK[errno.ENOSPC].format(folders.gradebook())
        known = (sentence for words, sentence in _SQLITE.items() if words in said)
        return next(known, "").format(_named(folders)) or None
    if getattr(error.orig, "sqlstate", getattr(error.orig, "pgcode", None)) in ("42703", "42P01"):
        return f"{_named(folders)} is of an older nbgrader: {_UPGRADE}"
    if isinstance(error, OperationalError | InterfaceError | InternalError):
        return f"{_named(folders)} does not answer ({' '.join(said.split())}): see to it"
    return None


def _of_another_nbgrader(connection: Connection) -> str | None:
    """What is wrong with the tables of a gradebook."""
    there = inspect(connection)
    tables = there.get_table_names()
    if tables and "assignment" not in tables:
        return "is a database of something else: see c.CourseDirectory.db_url"
    for name, table in Base.metadata.tables.items() if tables else ():  # else nbgrader makes them
        columns = (
            {column["name"] for column in there.get_columns(name)} if name in tables else set()
        )
        if not columns >= {column.name for column in table.columns}:
            return f"is of an older nbgrader: {_UPGRADE}, {AGAIN}"
    return None


def _address(folders: Folders) -> URL:
    file, url = folders.gradebook(), make_url(folders.directory.db_url)
    return url if file is None else url.set(database=str(file))


def _named(folders: Folders) -> str:
    """The gradebook, for a sentence; no password."""
    file = folders.gradebook()
    address = make_url(folders.directory.db_url).render_as_string(hide_password=True)
    return f"the gradebook {file or address}"


def _places(folders: Folders) -> Iterator[Path]:
    """The folders in which grading stores something."""
    yield folders.root
    if (file := folders.gradebook()) is not None:
        yield file.parent
    yield Path(tempfile.gettempdir())


def _is_full(place: Path) -> bool:
    """Whether nothing can be written there; what a disk says of its room need not be true."""
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(_LITTLE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return False
