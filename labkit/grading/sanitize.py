"""HTML of a submission as a page can show it: nothing in it runs or loads, and it is bounded."""

from __future__ import annotations

import re
from collections.abc import Callable

import nh3
from bs4 import BeautifulSoup, Tag
from pygments.token import STANDARD_TYPES

from labkit.grading import pictures

MAX_TAGS, MAX_DEPTH = 5_000, 30  # of one piece of HTML; parsers take long over more
MAX_PLACES = 20_000  # of its tables: cells, by the rows and columns that they say they take

NO_PICTURE = "[This picture cannot be shown here.]"
# fmt: off
TAGS = {
    "a", "abbr", "acronym", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "del", "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp",
    "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "u", "ul", "var",
}
_WITHOUT_CONTENT = {
    "script", "style", "template", "textarea", "title", "noscript", "iframe", "object", "svg",
    "math",
}
# fmt: on
# The largest number that an attribute may hold.
_NUMBERS = {
    "border": 10,
    "colspan": 1_000,
    "height": 2_000,
    "rowspan": 1_000,
    "start": 1_000_000,
    "width": 2_000,
}
_TEXTS = {"align", "alt", "title"}
_ATTRIBUTES = {"class", "href", "src", "style", *_NUMBERS, *_TEXTS}
# No id and no other class: nbgrader's scripts find what they mark by these.
_CLASSES = {"dataframe", "highlight", *STANDARD_TYPES.values()}
_STYLES = {"background-color", "color", "font-style", "font-weight", "text-align"}
_DECLARATION = re.compile(r"(?:[\w\s#%.,:!-]|\b(?:rgb|hsl)a?\([\d\s.,%/-]*\))*")  # no url(…)
_LINK = re.compile(r"https?://|mailto:")
_NUMBER = re.compile(r"\s*(\d{1,9})(?:\.\d*)?\s*(%|px)?\s*")


def _allowed(tag: str, name: str, value: str) -> str | None:
    """What an attribute may say; None if it has to go."""
    if name == "src":
        return value if tag == "img" and value.startswith(pictures.ADDRESSES) else None
    if name == "href":
        return value if tag == "a" and _LINK.match(value) else None
    if name == "class":
        return value if _CLASSES.issuperset(value.split()) else None
    if name in _NUMBERS:
        number = _NUMBER.fullmatch(value)
        largest = 100 if number and number[2] == "%" else _NUMBERS[name]
        return f"{min(int(number[1]), largest)}{number[2] or ''}" if number else None
    if name == "style":
        return ";".join(each for each in value.split(";") if _DECLARATION.fullmatch(each))
    return value if name in _TEXTS or name == "rel" else None  # this one is the sanitizer's own


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=_WITHOUT_CONTENT,
    attributes={"*": _ATTRIBUTES},
    attribute_filter=_allowed,
    url_schemes={"http", "https", "mailto", "data"},
    filter_style_properties=_STYLES,
)


def sanitized(html: str, links: bool, picture: Callable[[str], str | None]) -> str | None:
    """HTML with nothing but what is known to be harmless. Nothing may be changed after it.

    Args:
        html: anything.
        links: whether links stay; where they do not, the address is shown beside the text.
        picture: the data: address for what an <img> names, None if it cannot be shown.

    Returns:
        None if there is too much of it, or parts are nested too deeply.
    """
    if html.count("<") > 2 * MAX_TAGS:
        return None
    # What the sanitizer gets has to be well-formed: a browser's rules for tags that are not closed
    # make millions of elements out of a few thousand.
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup(list(_WITHOUT_CONTENT)):
        tag.decompose()
    if any(sum(1 for _ in tag.parents) > MAX_DEPTH for tag in soup(True)):
        return None
    for tag in soup(True):  # each attribute is compared with all others
        tag.attrs = {name: value for name, value in tag.attrs.items() if name in _ATTRIBUTES}
    _keep_tables_small(soup)
    for link in soup("a") if not links else []:
        link.append(f" [{link.get('href', '')}]")
        link.unwrap()
    for image in soup("img"):
        _show(image, picture(str(image.get("src", ""))))
    return _CLEANER.clean(str(soup))


def _show(image: Tag, address: str | None) -> None:
    if address is None:
        image.replace_with(NO_PICTURE)
    else:
        image["src"] = address
        image.attrs.setdefault("alt", "No description has been provided for this image")


def _keep_tables_small(soup: BeautifulSoup) -> None:
    """Let cells take one place each, if they would take too many together.

    A browser lays out each place, and a few hundred cells can say that they take a million.
    """
    cells = soup(["td", "th"])
    if sum(_number(cell, "colspan") * _number(cell, "rowspan") for cell in cells) > MAX_PLACES:
        for cell in cells:
            for name in ("colspan", "rowspan"):
                cell.attrs.pop(name, None)


def _number(cell: Tag, name: str) -> int:
    found = _NUMBER.match(str(cell.get(name, "")))
    return int(found[1]) if found else 1
