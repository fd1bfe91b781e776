"""What the names in a test stand for: the test's own things, or handles of the student's.

A handle never decides anything. It can be called, read, indexed and walked through, and each of
these is a question to the kernel that brings plain data or another handle. It cannot be compared,
hashed, tested for truth or for its type: those would let the student's object judge itself.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from labkit.grading.judge.link import Link, MissingName


class HandleMisuse(TypeError):
    """The test asks a student's object to judge itself; its author is to fetch values instead."""


class Handle:
    """An object in the student's kernel, by its number."""

    __slots__ = ("_handle_link", "_handle_number", "_handle_type")

    def __init__(self, link: Link, number: int, type_name: str) -> None:
        for name, value in zip(Handle.__slots__, (link, number, type_name), strict=True):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        # Only what this class does not define comes here. Dunder names would be Python's own
        # questions (is it a number, can it be copied?), asked without the author's knowing.
        if name.startswith("__"):
            raise AttributeError(f"{name} of {self!r} is not for tests to ask")
        return _ask(self, "attr", self, name)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "item", self, key)

    def __len__(self) -> int:
        length = _ask(self, "len", self)
        if type(length) is not int or not 0 <= length < 2**63:
            raise TypeError("a length that is no whole number")
        return length

    def __iter__(self) -> Iterator[Any]:
        """Items one by one, each fetched when the test wants it: the student's may never end."""
        iterator = _ask(self, "iterate", self)
        while (found := _ask(self, "next", iterator)) != []:
            if type(found) is not list or len(found) != 1:
                raise TypeError("an iterator that does not give items")
            yield found[0]

    def __next__(self) -> Any:
        for item in self:
            return item
        raise StopIteration

    def __contains__(self, value: Any) -> bool:
        # Python would compare the items; those that are plain compare here, handles refuse.
        return any(item == value for item in self)

    def __repr__(self) -> str:
        return f"<the submission's {object.__getattribute__(self, '_handle_type')}>"

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        _misuse(self, "cannot be changed from a test")

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        _misuse(self, "cannot be changed from a test")

    def __bool__(self) -> NoReturn:
        _misuse(self, "cannot be tested for truth")

    def __hash__(self) -> NoReturn:
        _misuse(self, "cannot be hashed")

    def _compare(self, other: object) -> NoReturn:
        _misuse(self, "cannot be compared")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compare

    @property  # type: ignore[misc]
    def __class__(self) -> NoReturn:  # type: ignore[override] # isinstance() asks for this
        _misuse(self, "cannot be tested for its type")


class CallableHandle(Handle):
    """A handle of something that the kernel says can be called; arguments go by value."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call it in the kernel."""
        return _ask(self, "call", self, list(arguments), keywords)


def _ask(handle: Handle, operation: str, *arguments: Any) -> Any:
    return object.__getattribute__(handle, "_handle_link").ask(operation, *arguments)


def _misuse(handle: Handle, what: str) -> NoReturn:
    raise HandleMisuse(
        f"{handle!r} {what}, being no plain value (a number, string, container, array or tensor); "
        "a test is to fetch plain values from it"
    )


def _opaque(value: Any) -> list:
    """How an argument that is no plain data goes to the kernel: handles go back, nothing else."""
    if type(value) in (Handle, CallableHandle):
        number = object.__getattribute__(value, "_handle_number")
        return ["handle", number, "", False]
    raise TypeError(
        f"{value!r} cannot be given to the submission's code: arguments go by value, as plain data"
    )


class Names(dict[str, Any]):
    """The global names of one test.

    What the test binds is its own. Python asks `__missing__` for anything else; builtins stay
    Python's. Then come the imports of the instructor's notebook, made here and not in the kernel:
    were `np.allclose` the kernel's, the student's code would do the comparing. The rest is the
    student's.

    Args:
        connection: of the student's kernel.
        seconds: for all questions together.
        imports: import statements of the instructor's notebook by the name that each binds.
    """

    def __init__(
        self,
        connection: Mapping[str, Any],
        seconds: float | None,
        imports: Mapping[str, str],
    ) -> None:
        super().__init__(__builtins__=builtins, __name__="__main__")
        self._imports = imports
        self._taken: set[str] = set()
        self.link = Link(connection, seconds, _opaque, self._handle)

    def _handle(self, number: int, type_name: str, callable_: bool) -> Handle:
        kind: Callable[..., Handle] = CallableHandle if callable_ else Handle
        return kind(self.link, number, type_name)

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)  # Python goes on to its builtins
        if name in self._imports and self._import(name):
            return self[name]
        try:
            return self.link.ask("get", name)
        except MissingName:
            raise NameError(f"name {name!r} is not defined") from None

    def _import(self, name: str) -> bool:
        made: dict[str, Any] = {}
        try:
            exec(self._imports[name], made)  # the instructor's own line, from source/
        except ImportError:
            return False  # a module beside the notebook, perhaps: then it is the kernel's
        self[name] = made[name]
        return True

    def __setitem__(self, name: str, value: Any) -> None:
        # A name that the test took away from the student's code is given back there: this is how
        # a test finds out whether one function uses another.
        if name in self._taken:
            self.link.ask("set", name, value)
            self._taken.discard(name)
        else:
            super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        if name in self:
            super().__delitem__(name)
            return
        try:
            self.link.ask("delete", name)
        except MissingName:
            raise NameError(f"name {name!r} is not defined") from None
        self._taken.add(name)
