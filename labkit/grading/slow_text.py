"""Text that keeps a browser busy for minutes, though it is not long.

A browser lays out some text in a time that grows with the square of its length: where it changes
between left-to-right and right-to-left all the time, where hundreds of accents stand on one letter,
and where a script that is written without spaces never ends. People do not write so.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

MAX_TURNS = 2_000  # between directions
_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_CONTROLS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TURN = re.compile(rf"[{_RIGHT}][^{_RIGHT}\w]*(?=[^\W{_RIGHT}])|[{_CONTROLS}]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f]+")
_TAG = re.compile(r"<[^<>]*>")


def quick(text: str) -> str:
    """Text that a browser lays out quickly: itself, or with escapes for all but ASCII."""
    if text.isascii():
        return text
    turns = sum(1 for _ in _TURN.finditer(_TAG.sub("\n", text)))
    if turns > MAX_TURNS or _longest(_UNSPACED, text) > 2_000 or _longest(_accents(), text) > 30:
        return text.encode("ascii", "backslashreplace").decode()
    return text


def _longest(kind: re.Pattern[str], text: str) -> int:
    return max((len(found[0]) for found in kind.finditer(text)), default=0)


@cache
def _accents() -> re.Pattern[str]:
    marks = [chr(each) for each in range(sys.maxunicode) if unicodedata.combining(chr(each))]
    return re.compile(f"[{''.join(marks)}]+")
