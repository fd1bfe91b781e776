"""Work on texts of a submission ends, and what browsers lay out slowly is not given to them."""

import re
import signal
import threading
import time

import pytest

from labkit.grading.slow_text import MAX_TURNS, quick
from labkit.grading.time_limit import TooSlow, within


def busy():
    re.fullmatch(r"(a|a)*b", "a" * 40)


def swallowing():
    while True:
        try:
            busy()
        except TooSlow:
            return swallowing_again()


def swallowing_again():
    while True:
        pass


@pytest.mark.parametrize("work", [busy, swallowing, swallowing_again])
def test_work_ends(work):
    before = signal.getsignal(signal.SIGVTALRM)
    start = time.process_time()
    with pytest.raises(TooSlow):
        within(0.1, work)
    assert time.process_time() - start < 2
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_what_ends_in_time_returns_and_raises_what_it_does():
    assert within(5, int, "12", base=3) == 5
    with pytest.raises(ValueError, match="invalid literal"):
        within(5, int, "x")
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_time_that_others_take_does_not_count():
    within(0.05, time.sleep, 0.2)


def test_other_threads_go_without_a_limit():
    found = []
    thread = threading.Thread(target=lambda: found.append(within(0.01, sum, range(3_000_000))))
    thread.start()
    thread.join()
    assert found == [sum(range(3_000_000))]


@pytest.mark.parametrize(
    "text",
    [
        "a\u05d0" * (MAX_TURNS + 2),
        "\u06441 " * (MAX_TURNS + 1),
        "a\u202eb\u202c" * MAX_TURNS,
        "<b>a</b>\u05d0" * (MAX_TURNS + 2),
        "a" + "\u0301" * 40,
        "\u05d0" + "\u05b0" * 40,
        "\u0e01\u0e33" * 1_500,
        "\u1000" * 3_000,
    ],
)
def test_text_that_is_laid_out_slowly_is_escaped(text):
    assert quick(text) == text.encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize(
    "text",
    [
        "plain " * 9_000,
        "Größe, naïve, Å " * 3_000,
        "e\u0301\u0323" * 5_000,
        "深度学习" * 5_000,
        "שלום עולם, זה טקסט ארוך. " * 2_000,
        "مرحبا بالعالم " * 2_000,
        "שלום 12 (loss) " * 500,
        "<td>דיוק</td><td>0.75</td>" * 1_500,
        "การเรียนรู้เชิงลึก " * 1_000,
        "👨‍👩‍👧 🇩🇪 " * 1_000,
    ],
)
def test_text_that_people_write_stays_as_it_is(text):
    assert quick(text) == text


@pytest.mark.parametrize(
    "text", ["é" + "<" * 50_000, ("\u0e01" * 1_999 + " ") * 250, "\u05d0" + " " * 500_000]
)
def test_looking_for_slow_text_is_quick_itself(text):
    start = time.process_time()
    assert quick(text) == text
    assert time.process_time() - start < 0.5
