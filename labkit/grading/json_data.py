"""Data of JSON from outside: whether it is small, and whether it can be written to a file.

JSON can say half of a character (a lone surrogate, as "\\ud800"), and Python can hold one, but no
file in UTF-8 can.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 20
_BITS = 64  # of an integer; thousands of digits take long to read and to write
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")


def is_small(tree: Any, items: int) -> bool:
    """Whether data has at most so many items, is not deep, and holds no endless integer.

    What is deep takes Python's writer of JSON a step for each level and item.
    """
    level = [tree]
    for _ in range(MAX_DEPTH):
        if any(isinstance(each, int) and each.bit_length() > _BITS for each in level):
            return False
        level = [each for each in level if isinstance(each, dict | list)]
        items -= sum(map(len, level))
        if items < 0:
            return False
        level = [x for each in level for x in (each.values() if isinstance(each, dict) else each)]
    return not level


def may_have_halves(text: str) -> bool:
    """Whether a text of JSON may hold halves of characters; two that fit are a character."""
    return _ESCAPED.search(text) is not None


def without_halves(tree: Any) -> tuple[Any, bool]:
    """Data with a "?" for each half of a character, and whether there were any."""
    text = json.dumps(tree, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace")), True
    return tree, False
