"""Whether data that came out of a JSON file have the types that they are annotated with."""

from __future__ import annotations

import sys
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a type: a plain one, None, a union, or list[...] or dict[...] of them.

    A bool is no number here, and a whole number is a float if a float can be as large.
    """
    if kind is Any:
        return True
    parts = get_args(kind)
    match get_origin(kind) or kind:
        case origin if origin in (Union, UnionType):
            return any(fits(value, part) for part in parts)
        case origin if origin is list:
            return isinstance(value, list) and all(fits(each, parts[0]) for each in value)
        case origin if origin is dict:
            return isinstance(value, dict) and all(
                fits(key, parts[0]) and fits(each, parts[1]) for key, each in value.items()
            )
        case origin if origin is float:
            whole = fits(value, int) and abs(value) <= sys.float_info.max
            return isinstance(value, float) or whole
        case origin if origin is int:
            return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def misfits(values: dict[str, Any], kind: type) -> list[str]:
    """The fields of a dataclass for which the values are missing or of another type."""
    hints = get_type_hints(kind)
    return [name for name in hints if name not in values or not fits(values[name], hints[name])]
