"""The end of the link inside the student's kernel. NOT trusted: the student can replace it.

Its text is sent into the kernel after that of `values`, into one module of its own. Nothing here
protects anything; a student who changes it can only make it tell other values, which is what a
wrong function does too. What is careful here is so that honest work is not marked down.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable
from typing import Any

from IPython import get_ipython

# Left out when this text is sent into the kernel, where `values` is above it already.
from labkit.grading.judge.values import decode, dumps, encode, loads  # not sent

_TEXT = 2000
_names: dict[str, Any] = get_ipython().user_ns
_objects: dict[int, Any] = {}  # what the judge holds handles of; kept until the cell is judged
_numbers = itertools.count(1)


class Answer:
    """IPython shows the answer as its repr: the JSON text itself."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def answer(text: str) -> Answer:
    """Answer one question: JSON of [token, operation, arguments]."""
    token, operation, arguments = loads(text)
    try:
        result = _OPERATIONS[operation](*(decode(argument, _object) for argument in arguments))
        return Answer(dumps([token, "value", encode(result, _opaque)]))
    except _Missing:
        return Answer(dumps([token, "missing"]))
    except BaseException as error:  # SystemExit too: a question always has an answer
        kind = type(error)
        bases = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
        try:
            said = str(error)[:_TEXT]
        except BaseException:
            said = ""
        return Answer(dumps([token, "error", kind.__name__[:100], bases[:20], said]))


class _Missing(Exception):
    """There is no such name."""


def _opaque(value: Any) -> list:
    number = next(_numbers)
    _objects[number] = value
    return ["handle", number, type(value).__name__, callable(value)]


def _object(number: int, name: str, callable_: bool) -> Any:
    return _objects[number]


def _get(name: str) -> Any:
    if name in _names:
        return _names[name]
    if hasattr(builtins, name):  # IPython adds a few
        return getattr(builtins, name)
    raise _Missing


def _call(function: Any, arguments: list, keywords: dict) -> Any:
    return function(*arguments, **keywords)


def _next(iterator: Any) -> list:
    """The next item in a list, or an empty list at the end."""
    return list(itertools.islice(iterator, 1))


def _delete(name: str) -> None:
    if name not in _names:
        raise _Missing
    del _names[name]


def _set(name: str, value: Any) -> None:
    _names[name] = value


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "get": _get,
    "call": _call,
    "attr": getattr,
    "item": lambda value, key: value[key],
    "len": len,
    "iterate": iter,
    "next": _next,
    "set": _set,
    "delete": _delete,
}
