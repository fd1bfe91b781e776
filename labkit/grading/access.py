"""Who else on this machine can read or write a course.

Marks are as good as the files that they come from. Homes are often open to everybody for reading,
and what nbgrader collects from its exchange is open to everybody for writing. On a hub that is the
class: it can read hidden tests, the gradebook and each other's work, or put another notebook in the
place of one that was collected.

Only a POSIX system is looked at, with the access lists of Linux.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import struct
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from traitlets import Bool
from traitlets.config import Configurable

from labkit.errors import InputError
from labkit.grading.course import CONFIG, Folders, tree
from labkit.grading.exports.sheet import names
from labkit.grading.files import MAX_DEPTH, quoted
from labkit.grading.report import REPORT

POSIX = os.name == "posix"
if POSIX:
    import grp
    import pwd

STEPS = ("source", "release", "submitted", "autograded", "feedback")
# Groups that systems put everybody into.
EVERYBODY = {"users", "students", "student", "everyone", "domain users", "nogroup"}
if sys.platform == "darwin":
    EVERYBODY.add("staff")  # elsewhere it may be the teachers'
_FIRST_PERSON, _LAST_PERSON = 1000, 59_999  # user ids; below are services
_MANY = 3  # accounts; fewer say nothing of whose group it is

# Who may: ("others", 0), ("group", its id) or ("user", the id).
Who = tuple[str, int]
OTHERS: Who = ("others", 0)
_READ, _WRITE, _ENTER = 4, 2, 1


class CourseAccess(Configurable):
    """The course's word on it."""

    allow_shared = Bool(
        False,
        help="Grade although others on this machine can write to the course, and leave what was "
        "collected as open as it is.",
    ).tag(config=True)


# For courses that labkit makes itself, in which nothing is at stake.
ALLOWED = "--CourseAccess.allow_shared=True"


@dataclass
class Access:
    """Who else can do what.

    Args:
        refused: who can write what nobody else should, a sentence each.
        said: what an instructor should know otherwise, a sentence each.
        mend: the command that closes the course to them; empty where there is nothing to mend.
    """

    refused: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    mend: str = ""


def examine(folders: Folders, lab: str = "*") -> Access:
    """Look at a course.

    Args:
        folders: of the course.
        lab: whose sources and submissions are looked at; all of them by default.
    """
    if not POSIX or not folders.root.is_dir():
        return Access()
    look = _Look(_People(folders.root))
    for name, path, top in _parts(folders, lab):
        look.at(name, path, top)
    for place in _outermost(folders):
        look.above(place, folders.root)
    return look.result()


def guard(
    folders: Folders, lab: str, say: Callable[[str], None], *, allow: bool, option: str
) -> None:
    """Say who else can read or write a course, and refuse where everybody can write.

    Args:
        folders: of the course.
        lab: whose sources and submissions are looked at.
        say: takes a sentence.
        allow: say it only.
        option: what allows it, for the sentence.

    Raises:
        InputError: everybody can write to it.
    """
    found = examine(folders, lab)
    if found.refused and not allow:
        raise InputError(
            f"{'; '.join(found.refused)}. Who can write there decides marks: close the course to "
            f"them ({found.mend}), or add {option}"
        )
    for sentence in [*found.refused, *found.said]:
        say(f"{sentence[0].upper()}{sentence[1:]}.")
    if found.mend:
        say(f"To close the course to them: {found.mend}")


def close_what_is_open(folders: Folders, lab: str) -> list[str]:
    """Close the submissions of a lab that everybody can read or write, and touch no other.

    Returns:
        The students whose submission everybody could write to.
    """
    if not POSIX:
        return []
    people = _People(folders.root)
    written = []
    for student, folder in folders.handed_in(lab).items():
        look = _Look(people)
        for path in tree(folder):
            look.at(student, path, folder)
        seen = look.result()
        if seen.mend:
            close(folders, [folder])
        if seen.refused:
            written.append(student)
    return written


def close(folders: Folders, submissions: Iterable[Path]) -> None:
    """Take everybody's rights from submissions, and from the folders between them and `submitted/`.

    Links are not followed, and nothing outside is changed, whatever others do there meanwhile. What
    belongs to somebody else stays as it is.
    """
    if POSIX:
        people = _People(folders.root)
        for folder in submissions:
            _close_all(folder, folder.parents[max(folders.depth(), 1) - 1], people)


def _close_all(folder: Path, above: Path, people: _People) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
        here = opened.enter_context(_descriptor(str(above), None, os.O_DIRECTORY))
        for name in folder.relative_to(above).parts:
            here = opened.enter_context(_descriptor(name, here, os.O_DIRECTORY | os.O_NOFOLLOW))
            _close(here, people)
        _close_inside(here, people, MAX_DEPTH)


def _close_inside(folder: int, people: _People, depth: int) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                # Opening a device can already act on it.
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISREG(mode):
                    with _descriptor(entry.name, folder, os.O_NOFOLLOW | os.O_NONBLOCK) as file:
                        _close(file, people)
                elif stat.S_ISDIR(mode) and depth > 0:
                    kind = os.O_DIRECTORY | os.O_NOFOLLOW
                    with _descriptor(entry.name, folder, kind) as inner:
                        _close(inner, people)
                        _close_inside(inner, people, depth - 1)


def strangers(folders: Folders, submission: Path, student: str, exchange: Path) -> list[str]:
    """Say if a file of a submission belongs to somebody who may have put it there.

    What an instructor, root or the exchange's owner has copied belongs to them. Root may have
    copied with owners, so that a student's own file is nothing to wonder about there.

    Args:
        folders: of the course.
        submission: the folder that was handed in.
        student: by whom.
        exchange: the folder from which nbgrader collects.
    """
    if not POSIX:
        return []
    trusted = _People(folders.root, exchange).trusted
    if os.geteuid() == 0:
        with contextlib.suppress(KeyError, ValueError):
            trusted.add(pwd.getpwnam(student).pw_uid)
    for path in tree(submission):
        with contextlib.suppress(OSError):
            if (owner := path.lstat().st_uid) not in trusted:
                name = quoted(str(path.relative_to(submission.parent)))
                return [
                    f"{name} belongs to {_user(owner)} and not to you: please check that it is "
                    "what was handed in, and collect it again."
                ]
    return []


class ClosedCollect(ExchangeCollect):
    """nbgrader's collecting; what it copies from the exchange is open to everybody there."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a submission, and close it."""
        folders = Folders(self.coursedir, Path())
        closing = [] if CourseAccess(parent=self).allow_shared else [Path(dest)]
        close(folders, closing)  # the folder above, so that nobody gets at what is being copied
        super().do_copy(src, dest, log)
        close(folders, closing)


# -- who -------------------------------------------------------------------------------------------


class _People:
    """The accounts of this machine.

    Args:
        places: whose owners may do as they like.
    """

    def __init__(self, *places: Path) -> None:
        self.trusted = {0, os.geteuid()}
        for place in places:
            with contextlib.suppress(OSError):
                self.trusted.add(place.stat().st_uid)
        self.trusted |= _unmapped_root()
        self._accounts = pwd.getpwall()
        # A directory server often does not list its accounts.
        self._all_known = any(account.pw_uid == os.geteuid() for account in self._accounts)

    def in_group(self, gid: int) -> set[str] | None:
        """Who else is in a group; None if that is not known."""
        if not self._all_known:
            return None
        names = {a.pw_name for a in self._accounts if a.pw_gid == gid}
        with contextlib.suppress(KeyError):
            names.update(grp.getgrgid(gid).gr_mem)
        mine = {a.pw_name for a in self._accounts if a.pw_uid in self.trusted}
        return names - mine

    def counts(self, gid: int) -> bool:
        """Whether somebody else is in a group, for all that is known."""
        others = self.in_group(gid)
        # Most systems give each account a group of its own, of the same name.
        return others != set() and not (others is None and _group(gid) == _user(os.geteuid()))

    def is_everybodys(self, gid: int) -> bool:
        """Whether a group is one that accounts are simply put into."""
        if not self.counts(gid):
            return False
        if _group(gid).casefold() in EVERYBODY:
            return True
        persons = [a for a in self._accounts if _FIRST_PERSON <= a.pw_uid <= _LAST_PERSON]
        inside = sum(a.pw_gid == gid for a in persons)
        return inside >= _MANY and 2 * inside > len(persons)

    def everybody(self, who: Who) -> bool:
        """Whether these are no persons whom somebody has chosen."""
        return who == OTHERS or (who[0] == "group" and self.is_everybodys(who[1]))

    def named(self, who: Who) -> str:
        """Them, for the beginning of a sentence."""
        kind, number = who
        if kind == "user":
            return _user(number)
        if kind == "others":
            return "others on this machine"
        if self.is_everybodys(number):
            return f"everybody in the group {_group(number)}"
        others = sorted(self.in_group(number) or ())
        return f"the group {_group(number)}" + (f" ({names(others, 5)})" if others else "")


def _unmapped_root() -> set[int]:
    """Whom root's files seem to belong to in a container that has no root of its own."""
    try:
        lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
        if any(line.split()[0] == "0" for line in lines):
            return set()
        return {int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))}
    except (OSError, ValueError, IndexError):
        return set()


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


# -- what they can do ------------------------------------------------------------------------------


class _Look:
    """Collects who can write and read what."""

    def __init__(self, people: _People) -> None:
        self.people = people
        self._writers: dict[Who, dict[str, Path]] = defaultdict(dict)
        self._readers: dict[Who, dict[str, Path]] = defaultdict(dict)
        self._above: set[Path] = set()  # folders above the course that can be written
        self._entered: dict[tuple[Who, Path], bool] = {}

    def at(self, name: str, path: Path, top: Path) -> None:
        """Look at a file or folder of the course.

        Args:
            name: what it is called in a sentence.
            path: where it is.
            top: the folder that would have to be closed.
        """
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                return
            folder = stat.S_ISDIR(status.st_mode)
            needed = _WRITE | _ENTER if folder else _WRITE
            for who, bits in _granted(path, status).items():
                if bits & needed == needed and self.passes(who, path.parent):
                    self._writers[who].setdefault(name, top)
                if bits & _READ and not folder and self.passes(who, path.parent):
                    self._readers[who].setdefault(name, top)
            owner: Who = ("user", status.st_uid)
            if status.st_uid not in self.people.trusted and self.passes(owner, path.parent):
                self._writers[owner].setdefault(name, top)

    def above(self, place: Path, root: Path) -> None:
        """Look at the folders above a place: whoever may rename in one decides what is found there.

        In a folder with the sticky bit, such as /tmp, only the owner of a file may.
        """
        for child, folder in _steps_up(place):
            if folder == root or root in folder.parents:
                continue  # a part of the course
            with contextlib.suppress(OSError):
                status = folder.stat()
                kept = status.st_mode & stat.S_ISVTX and child.lstat().st_uid in self.people.trusted
                name = f"{folder} (above the course)"
                for who, bits in _granted(folder, status).items():
                    writes = bits & (_WRITE | _ENTER) == _WRITE | _ENTER
                    if writes and not kept and self.passes(who, folder.parent):
                        self._writers[who].setdefault(name, folder)
                        self._above.add(folder)
                if status.st_uid not in self.people.trusted:
                    self._writers["user", status.st_uid].setdefault(name, folder)

    def passes(self, who: Who, folder: Path) -> bool:
        """Whether they get into a folder from the root of the file system."""
        known = self._entered.get((who, folder))
        if known is None:
            known = self._enters(who, folder)
            if known and folder.parent != folder:
                known = self.passes(who, folder.parent)
            self._entered[who, folder] = known
        return known

    def _enters(self, who: Who, folder: Path) -> bool:
        try:
            status = folder.stat()
        except OSError:
            return False
        granted = _granted(folder, status)
        kind, number = who
        if kind == "user" and number == status.st_uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if kind == "user" and who not in granted:
            group: Who = ("group", status.st_gid)
            others = self.people.in_group(status.st_gid)
            who = group if others is None or _user(number) in others else OTHERS
        return bool(granted.get(who, granted[OTHERS]) & _ENTER)

    def result(self) -> Access:
        """What was seen, in sentences."""
        found, mend = Access(), dict[Path, None]()
        for who, where in self._of_note(self._writers):
            everybody = self.people.everybody(who)
            (found.refused if everybody else found.said).append(
                f"{self.people.named(who)} can write to {_listed(where)}"
            )
            mend |= dict.fromkeys(where.values()) if everybody else {}
        for who, where in self._of_note(self._readers):
            secret = {name: top for name, top in where.items() if name != "release/"}
            if secret and self.people.everybody(who):
                found.said.append(f"{self.people.named(who)} can read {_listed(secret)}")
                mend |= dict.fromkeys(secret.values())
        found.mend = " && ".join(map(self._command, mend))
        return found

    def _of_note(self, seen: dict[Who, dict[str, Path]]) -> Iterator[tuple[Who, dict[str, Path]]]:
        """Those that an instructor should hear of, everybody first."""
        for who, where in sorted(seen.items(), key=lambda item: item[0] != OTHERS):
            kind, number = who
            if kind == "user" and number in self.people.trusted:
                continue
            if kind == "group" and not self.people.counts(number):
                continue
            if who != OTHERS and self.people.everybody(who) and where.keys() <= seen[OTHERS].keys():
                continue
            yield who, where

    def _command(self, place: Path) -> str:
        """What closes a folder to everybody."""
        status = place.stat()
        whom = "go" if self.people.is_everybodys(status.st_gid) else "o"
        rights = "w" if place in self._above else "rwx"
        sudo = "" if os.geteuid() in (0, status.st_uid) else "sudo "
        return f"{sudo}chmod {whom}-{rights} {shlex.quote(str(place))}"


def _listed(where: dict[str, Path]) -> str:
    *first, last = where
    return f"{', '.join(first)} and {last}" if first else last


def _granted(path: Path, status: os.stat_result) -> dict[Who, int]:
    """What everybody but the owner may do: read 4, write 2, enter or run 1."""
    mode = status.st_mode
    granted: dict[Who, int] = {("group", status.st_gid): mode >> 3 & 7, OTHERS: mode & 7}
    if not mode & 0o070 or not hasattr(os, "getxattr"):
        return granted  # an access list gives no more than the group's bits
    try:
        content = os.getxattr(path, "system.posix_acl_access")
    except OSError:
        return granted
    for tag, bits, number in struct.iter_unpack("<HHI", content[4:]):
        kind = {0x02: "user", 0x04: "group", 0x08: "group"}.get(tag)
        if kind is not None:
            number = status.st_gid if tag == 0x04 else number
            granted[kind, number] = bits & mode >> 3
    return granted


# -- where -----------------------------------------------------------------------------------------


def _parts(folders: Folders, lab: str) -> Iterator[tuple[str, Path, Path]]:
    """The files and folders of a course that matter: name, path, and what to close."""
    root, file = folders.root, folders.gradebook()

    def top(path: Path, otherwise: Path) -> Path:
        return root if path == root or root in path.parents else otherwise

    yield "the course folder", root, root
    for path in [folders.at / CONFIG, *sorted(root.glob("*.py")), root / REPORT]:
        yield path.name, path, top(path, path)
    if file is not None:
        yield file.name, file, top(file, file)
        if top(file, file) is file:
            yield f"the folder of {file.name}", file.parent, file.parent
    for step in STEPS:
        highest = folders.top(step)
        name = f"{highest.name}/" if highest != root else f"{step}/"
        yield name, highest, top(highest, highest)
        for folder in folders.of_step(step, lab):
            between = [path for path in folder.parents if highest in path.parents]
            for path in [*between, *tree(folder)]:
                yield name, path, top(highest, highest)


def _outermost(folders: Folders) -> Iterator[Path]:
    """What must be found where it is."""
    yield folders.root
    yield folders.at / CONFIG
    if (file := folders.gradebook()) is not None:
        yield file
    yield from map(folders.top, STEPS)


def _steps_up(place: Path) -> Iterator[tuple[Path, Path]]:
    """Each name on the way to a place, with the folder that it is in; also where links lead to."""
    for path in {place.absolute(): 0, place.resolve(): 0}:
        for folder in path.parents:
            yield path, folder
            path = folder


@contextlib.contextmanager
def _descriptor(name: str, inside: int | None, flags: int) -> Iterator[int]:
    opened = os.open(name, os.O_RDONLY | os.O_CLOEXEC | flags, dir_fd=inside)
    try:
        yield opened
    finally:
        os.close(opened)


def _close(opened: int, people: _People) -> None:
    status = os.fstat(opened)
    mode = stat.S_IMODE(status.st_mode)
    closed = mode & ~0o007
    if people.is_everybodys(status.st_gid):
        closed &= ~0o070
    if closed != mode:
        with contextlib.suppress(OSError):  # somebody else's
            os.fchmod(opened, closed)
