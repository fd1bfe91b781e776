from dataclasses import dataclass
from typing import Any

import pytest

from labkit.plain import fits, misfits


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *[(1, int), (1, float), (0.5, float), ("a", str), (True, bool), (None, int | None)],
        *[
            ([], list[int]),
            ([1, 2.5], list[float]),
            ({"a": {"b": None}}, dict[str, dict[str, int | None]]),
        ],
        *[({"a": object}, dict[str, Any]), (3, Any)],
    ],
)
def test_what_fits(value, kind):
    assert fits(value, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *[(True, int), (False, float), (1.0, int), (10**400, float), ("1", int), (None, str)],
        *[([1, "a"], list[int]), ((1,), list[int]), ({1: 1}, dict[str, int]), ("", int | None)],
        *[({"a": "b"}, dict[str, float | None]), ([], dict[str, int])],
    ],
)
def test_what_does_not(value, kind):
    assert not fits(value, kind)


def test_fields_that_are_missing_or_of_another_type():
    @dataclass
    class Settings:
        name: str
        size: int
        lr: float

    assert misfits({"name": "a", "size": 1, "lr": 1, "more": 1}, Settings) == []
    assert misfits({"size": "1", "lr": None}, Settings) == ["name", "size", "lr"]
