"""An end for what parses text of a submission.

Parsers of markup and of code are quick on what people write, and slow on what was made to keep them
busy: the time that they take may grow with the square of the length, or faster.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class TooSlow(Exception):
    """Something took more time than it was given."""


def within(seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function returns, if this process computes for no longer than that.

    Time is the processor's, so that it does not depend on what else the machine does. It can be
    limited in the main thread of a POSIX system only; elsewhere the function takes the time that it
    takes.

    Raises:
        TooSlow: it takes longer. Code that is not Python's runs to its end first.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        return function(*args, **kwargs)

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"It takes more than {seconds:g} s.")

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        try:
            # Once more each tenth of a second, since code may swallow what is raised in it.
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
            return function(*args, **kwargs)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)  # if the first was stopped itself
        signal.signal(signal.SIGVTALRM, before or signal.SIG_DFL)
