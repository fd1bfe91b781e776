"""What there is room for on one page, and the parts of it that are ready."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from labkit.grading import formulas
from labkit.grading.pictures import Pictures
from labkit.grading.time_limit import within

MAX_PAGE = 10_000_000  # characters; a page also has about 150,000 of nbgrader's own
MAX_PARTS = 200_000  # what a browser lays out one by one; it takes some 30 seconds for a million
MAX_SECONDS, MAX_SECONDS_OF_PART = 8.0, 2.0  # of the processor, for all parsers together

P = ParamSpec("P")
T = TypeVar("T")


class Page:
    """A page while it is made.

    Args:
        folder: where the notebook lies.
    """

    def __init__(self, folder: Path) -> None:
        self.pictures = Pictures(folder)
        self.room = MAX_PAGE
        self._parts, self._formulas, self._seconds = MAX_PARTS, formulas.MAX_FORMULAS, MAX_SECONDS
        self._ready: list[str] = []
        self._name = f"part{secrets.token_hex(16)}n"  # nothing in a submission can be called so

    def take(self, characters: int, parts: int = 0, spare: float = 0.0) -> bool:
        """Use up some of the page, if there is as much left.

        Args:
            characters, parts: how much.
            spare: the share of a whole page that has to be left for others.
        """
        fits = (
            characters <= self.room - spare * MAX_PAGE and parts <= self._parts - spare * MAX_PARTS
        )
        if fits:
            self.room -= characters
            self._parts -= parts
        return fits

    def parsed(
        self, spare: float, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """What a parser makes of a part; None if it gives up, or takes long.

        Args:
            spare: the share of a whole page's time that has to be left for others.
            parse, args, kwargs: what is called.
        """
        if self._seconds <= spare * MAX_SECONDS:
            return None
        start = time.thread_time()
        try:
            return within(MAX_SECONDS_OF_PART, parse, *args, **kwargs)
        except Exception:  # parsers have many ways to fail, and each costs no more than its part
            return None
        finally:
            self._seconds -= time.thread_time() - start

    def put(self, html: str) -> str:
        """Keep markup that is ready; a word that stands for it until the page is."""
        self._ready.append(html)
        return f"{self._name}{len(self._ready) - 1}n"

    def is_ready(self, html: str) -> bool:
        """Whether something is a word of `put`."""
        return html.startswith(self._name)

    def take_formulas(self, text: str) -> bool:
        """Use up as many of the page's formulas as a text has, if there are as many left."""
        count = formulas.count(text)
        fits = count <= self._formulas
        self._formulas -= count if fits else 0
        return fits

    def complete(self, html: str) -> str:
        """The page with all its parts."""
        return re.sub(rf"{self._name}(\d+)n", lambda found: self._ready[int(found[1])], html)


def parts(html: str) -> int:
    """How many parts a browser lays out for markup: elements, lines, and scripts that change."""
    foreign = 0 if html.isascii() else len(html) - len(html.encode("ascii", "ignore"))
    return (html.count("<") + html.count("\n") + html.count("\t")) // 2 + foreign // 4
