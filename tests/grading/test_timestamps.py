"""Who writes a time in which form, and what is made of it: it is read right, or flagged."""

import time
from datetime import datetime
from pathlib import Path

import pytest
from dateutil.tz import gettz

from labkit.grading.timestamps import MAX_BYTES, as_nbgrader, decoded, read, written

pytestmark = pytest.mark.filterwarnings("ignore")  # dateutil's, of zones that it passes over
FIVE = datetime(2026, 3, 2, 17)  # 18:00 in Berlin, in winter

RIGHT = {
    "2026-03-02 17:00:00.000000 UTC": "nbgrader",
    "2026-03-02 17:00:00": "nbgrader takes it for UTC, and says so in its manual",
    "2026-03-02 18:00:00.000000 CET": "nbgrader with c.Exchange.timezone",
    "2026-03-02 18:00:00 Europe/Berlin": "nbgrader's manual",
    "2026-03-02 17:00:00 +0000": "nbgrader",
    "2026-03-02T17:00:00Z": "Canvas, GitHub, Google Classroom",
    "2026-03-02T17:00:00.000Z": "JavaScript",
    "2026-03-02T18:00:00+01:00": "Canvas, git --date=iso-strict, date -Iseconds",
    "2026-03-02T18:00:00,000000000+01:00": "date -Ins",
    "2026-03-02 18:00:00 +0100": "git --date=iso",
    "2026-03-02 09:00:00 -0800": "Gradescope",
    "2026-03-02 18:00:00+01:00": "Python, date --rfc-3339, PostgreSQL",
    "2026-03-02T18:00+01": "ISO 8601",
    "20260302T170000Z": "ISO 8601, calendars",
    "2026-W10-1T17:00:00Z": "ISO 8601",
    "2026/03/02 18:00:00 +0100": "logs",
    "Mon Mar  2 18:00:00 CET 2026": "date",
    "Mon Mar 2 18:00:00 2026 +0100": "git",
    "Mon Mar  2 06:00:00 PM CET 2026": "date, in American English",
    "Mon 02 Mar 2026 06:00:00 PM CET": "date, in English",
    "Mon, 02 Mar 2026 18:00:00 +0100": "git --date=rfc, date -R, e-mail",
    "Mon, 02 Mar 2026 17:00:00 GMT": "HTTP",
    "Mon Mar 02 2026 18:00:00 GMT+0100 (Central European Standard Time)": "JavaScript",
    "Mon, Mar 2, 2026 at 5:00 PM (UTC)": "a page",
    "Mar 2, 2026 12:00 pm EST": "Canvas's page",
    "2 March 2026, 5:00 PM UTC": "Moodle, with a zone",
    "1772470800": "date +%s",
    "1772470800 +0100": "git --date=raw",
    "02.03.2026 18:00 CET": "Germany",
    "2026-03-02 12:00:00 EST5EDT": "a zone",
    "2026-03-02 18:00:00 UTC+1": "by hand",
}
FLAGGED = {
    "Mon Mar  2 17:00:00 2026": ("without a time zone", "ctime"),
    "Monday, 2 March 2026, 5:00 PM": ("without a time zone", "Moodle"),
    "Mar 2, 2026 at 5:00pm": ("without a time zone", "Canvas's page"),
    "Monday, March 2, 2026 5:00:00 PM": ("without a time zone", "PowerShell"),
    "2026-03-02 05:00:00 PM": ("without a time zone", "Excel; nbgrader reads five in the morning"),
    "02.03.2026 17:00": ("without a time zone", "Germany; nbgrader reads February"),
    "02.03.2026 17:00:00 Uhr": ("with the time zone 'Uhr', which is not known", "Germany"),
    "2026-03-02 17:00:00 PST": ("with the time zone 'PST', which is not known", "two zones"),
    "2026-03-02 17:00:00 IST": ("with the time zone 'IST', which is not known", "three zones"),
    "2026-03-02 17:00 +99999": ("with the time zone '+99999', which is not known", "an editor"),
    "03/02/2026 17:00": ("where the day or the month may come first", "America, or not"),
    "3/2/2026 5:00:00 PM": ("where the day or the month may come first", "PowerShell"),
    "2026-03-02-17-00-00": ("in an unusual form", "Blackboard, in names of files"),
    "20260302170000": ("in an unusual form", "Moodle, in names of files"),
}
NONE = [
    *["tea time", "now", "0", "18:00", "2026", "March 2026", "Mar 2 at 6:00pm", "02:61:00"],
    *["2026-02-30 10:00:00 UTC", "2026-03-02 25:00:00 UTC", "2026-03-02 13:00:00 PM"],
    *["0001-01-01 00:00 +9999", "9999-12-31 23:59:00 -2300", "1" * MAX_BYTES, "\0", "²:30"],
    *["2026-03-02 17:00:00 /etc/passwd", "Mo 2. Mär 18:00:00 CET 2026", "1026-03-02 17:00:00"],
]


def stamp(tmp_path: Path, text: str) -> Path:
    (path := tmp_path / "timestamp.txt").write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", RIGHT)
def test_read_right(text):
    assert (read(text).time, read(text).doubt) == (FIVE, None)


@pytest.mark.parametrize("text", FLAGGED)
def test_read_as_well_as_can_be_and_flagged(text):
    assert (read(text).time, read(text).doubt) == (FIVE, FLAGGED[text][0])


@pytest.mark.parametrize("text", NONE)
def test_no_time(text):
    began = time.process_time()
    assert read(text).time is None
    assert time.process_time() - began < 2


def test_a_date_alone_is_its_midnight():
    assert read("2026-03-02").time == datetime(2026, 3, 2)
    assert read("2026-03-02").doubt == "without a time of day"


@pytest.mark.parametrize("text", [*RIGHT, *FLAGGED])
def test_what_is_written_in_its_place_nbgrader_reads_as_that(tmp_path, text):
    assert as_nbgrader(stamp(tmp_path, written(read(text).time))) == FIVE


def test_nbgrader_alone_misreads_a_third_of_them(tmp_path):
    wrong = [text for text in RIGHT if as_nbgrader(stamp(tmp_path, text)) != FIVE]
    assert {"Mon Mar  2 18:00:00 CET 2026", "2026-03-02 18:00:00 +0100"} < set(wrong)
    assert len(wrong) >= len(RIGHT) / 3


@pytest.mark.parametrize(
    ("home", "text", "utc"),
    [
        ("America/Los_Angeles", "2026-03-02 09:00:00.5 PST", FIVE.replace(microsecond=500_000)),
        ("Asia/Manila", "2026-03-03 01:00:00 PST", FIVE),
        ("Asia/Kolkata", "Mon Mar  2 22:30:00 IST 2026", FIVE),
        ("Asia/Shanghai", "2026-03-03 01:00 CST", FIVE),
        ("Europe/Berlin", "2026-07-02 19:00:00 CEST", datetime(2026, 7, 2, 17)),
    ],
)
def test_the_courses_own_zone_knows_its_abbreviations(home, text, utc):
    assert read(text, gettz(home)).time == utc
    assert read(text, gettz(home)).doubt is None


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_and_blanks(encoding):
    assert decoded("\r\n 2026-03-02\t17:00:00 \n".encode(encoding)) == "2026-03-02 17:00:00"
    assert decoded("5:00\u202fPM\xa0".encode("utf-8")) == "5:00 PM"
    assert decoded(b"\n") == decoded(b"") == ""
    assert read(decoded(b"1" * 10**6)).time is None
    assert read(decoded(b"\xff\xd8\xff\xe0")).time is None
