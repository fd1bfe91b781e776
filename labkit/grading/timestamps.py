"""When a submission was handed in: reading `timestamp.txt`, whoever wrote it.

nbgrader reads the times that it writes itself, as long as they are in UTC. Others it may misread
without a word: "Mon Mar 2 18:00:00 CET 2026" as 18:00 UTC, "6:00:00 PM" as six in the morning.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from dateutil.parser import parse
from dateutil.tz import gettz
from nbgrader.utils import parse_utc

MAX_BYTES = 200
_YEARS = range(1990, 2101)  # digits without end are a date, too
_ANY_DAYS = (datetime(2000, 1, 1), datetime(2001, 2, 2, 1))
_FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"  # nbgrader's own

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY, _NUMBER, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"(?P<year>\d{4})"
_WEEKDAY = r"((mon|tue|wed|thu|fri|sat|sun)[a-z]* )?"
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<part>\d{1,9}))?)?"
    r"( ?(?P<half>[ap])\.?m\b\.?)?"
)
_ZONE = r" ?(?P<zone>([a-z(+-].*)?)"
# As they are without commas and "at". `date` and git put the zone and the year last.
_IN_NUMBERS = rf"{_YEAR}[-/]{_NUMBER}[-/]{_DAY}[T ]{_TIME}{_ZONE}"
_EITHER_WAY = rf"{_NUMBER}/{_DAY}/{_YEAR} {_TIME}{_ZONE}"
_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        _IN_NUMBERS,
        rf"{_WEEKDAY}{_DAY} {_MONTH} {_YEAR} {_TIME}{_ZONE}",
        rf"{_WEEKDAY}{_MONTH} {_DAY} {_YEAR} {_TIME}{_ZONE}",
        rf"{_WEEKDAY}{_MONTH} {_DAY} {_TIME}{_ZONE} {_YEAR}",
        rf"{_WEEKDAY}{_MONTH} {_DAY} {_TIME} {_YEAR}{_ZONE}",
        rf"{_DAY}\.{_NUMBER}\.{_YEAR} {_TIME}{_ZONE}",
        _EITHER_WAY,
    )
]
_SECONDS = re.compile(r"(\d{9,10})(\.\d+)?( [+-]\d{4})?")  # since 1970, as git stores them
_OFFSET = re.compile(r"(utc|gmt)?([+-])(\d{1,2})(:?(\d\d))?( \(.*\))?", re.IGNORECASE)
# Never a path, which gettz would open.
_PLACE = re.compile(r"[A-Za-z]\w*(/[A-Za-z][\w+-]*)+|[A-Z]{3}\d[A-Z]{3}")
# Hours from UTC, of what means one thing only: PST, CST, IST and BST do not.
_ABBREVIATIONS = {
    **dict.fromkeys(("UTC", "GMT", "Z", "WET"), 0),
    **{"WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3},
    **{"EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PDT": -7},
}


@dataclass(frozen=True)
class Reading:
    """What a timestamp says.

    Args:
        time: in UTC, without a zone, as nbgrader keeps times; None if it says none.
        doubt: what about it may mean another time, as the end of a sentence.
    """

    time: datetime | None
    doubt: str | None = None


def decoded(content: bytes) -> str:
    """The text of a timestamp file, in one line; Windows may write UTF-16, and odd blanks."""
    if len(content) > MAX_BYTES:
        return "..."
    text = content.decode(json.detect_encoding(content), "replace")
    return " ".join(text.replace("\ufeff", " ").split())


def read(text: str, home: tzinfo | None = None) -> Reading:
    """Read the time in a text.

    A time in numbers without a zone is in UTC, as nbgrader has it.

    Args:
        text: one line.
        home: the course's own time zone, whose abbreviations are known.
    """
    try:
        reading = _read(text, home)
    except (ValueError, OverflowError):  # no such day, no such hour
        return Reading(None)
    if reading.time is not None and reading.time.year not in _YEARS:
        return Reading(None)
    return reading


def as_nbgrader(path: Path) -> datetime | None:
    """What nbgrader makes of a timestamp file; None if it stops there."""
    try:
        return parse_utc(path.read_text().strip())
    except Exception:  # dateutil raises many things
        return None


def written(time: datetime) -> str:
    """A time as nbgrader writes it, and reads it."""
    return time.strftime(_FORMAT)


def _read(text: str, home: tzinfo | None) -> Reading:
    if seconds := _SECONDS.fullmatch(text):
        return Reading(datetime.fromtimestamp(int(seconds[1]), UTC).replace(tzinfo=None))
    plain = " ".join(re.sub(r",(?!\d)| at ", " ", text).replace(",", ".").split())
    for form in _FORMS:
        if found := form.fullmatch(plain):
            return _understood(found, form.pattern, home)
    return _other(text)


def _other(text: str) -> Reading:
    """What else ISO 8601 allows, such as 20260302T170000Z, and what nbgrader can read."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return _in_doubt(text)
    if time.tzinfo is not None:
        return Reading(time.astimezone(UTC).replace(tzinfo=None))
    return Reading(time, None if len(text) > len("2026-03-02") else "without a time of day")


def _in_doubt(text: str) -> Reading:
    """What nbgrader reads, unless it adds a part of today's date to it."""
    try:
        first, second = (parse(text, default=day, ignoretz=True) for day in _ANY_DAYS)
        return Reading(parse_utc(text), "in an unusual form") if first == second else Reading(None)
    except Exception:  # dateutil raises many things
        return Reading(None)


def _understood(found: re.Match[str], form: str, home: tzinfo | None) -> Reading:
    month, day = found["month"].lower(), int(found["day"])
    number = int(month) if month.isdigit() else _MONTHS.index(month) + 1
    either = form == _EITHER_WAY and day <= 12 and number != day
    if form == _EITHER_WAY and number > 12:
        number, day, either = day, number, False
    local = datetime(int(found["year"]), number, day, *_clock(found))
    zone = found["zone"].strip()
    offset = _offset(zone, local, home)
    time = local - (offset or timedelta())
    if either:
        return Reading(time, "where the day or the month may come first")
    if offset is not None or (not zone and form == _IN_NUMBERS and not found["half"]):
        return Reading(time)
    what = (
        f"with the time zone {zone[:40]!r}, which is not known" if zone else "without a time zone"
    )
    return Reading(time, what)


def _clock(found: re.Match[str]) -> tuple[int, int, int, int]:
    hour = int(found["hour"])
    if half := found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + 12 * (half.lower() == "p")
    part = int((found["part"] or "0").ljust(6, "0")[:6])
    return hour, int(found["minute"]), int(found["second"] or 0), part


def _offset(zone: str, local: datetime, home: tzinfo | None) -> timedelta | None:
    """How far a zone is ahead of UTC; None if that is not known."""
    if found := _OFFSET.fullmatch(zone):
        ahead = timedelta(hours=int(found[3]), minutes=int(found[5] or 0))
        return ahead if found[2] == "+" else -ahead
    zone = zone.strip("()")
    if home is not None and home.tzname(local) == zone:
        return home.utcoffset(local)
    if zone.upper() in _ABBREVIATIONS:
        return timedelta(hours=_ABBREVIATIONS[zone.upper()])
    place = gettz(zone) if _PLACE.fullmatch(zone) else None
    return None if place is None else place.utcoffset(local)
