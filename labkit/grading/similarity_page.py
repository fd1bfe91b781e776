"""The page of `labkit similarity`: no script, nothing that loads, students' text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from labkit.grading.similarity import Code, Found, Pair

SHOWN = 200  # pairs whose code is shown

CAUTION = (
    "Similarity is a reason to look, not a verdict. Short functions that do the same look alike by "
    "nature, and what is alike does not say who wrote it first, whether it was allowed, or where "
    "both have it from. Marks do not depend on it."
)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse }
th, td { text-align: left; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid #ddd }
.number { text-align: right }
.both { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }
.both > div { min-width: 0 }
h2 { margin-top: 2.5rem; font-size: 1.15rem }
h3 { margin: .3rem 0; font-size: 1rem; font-weight: normal }
.name { unicode-bidi: isolate; overflow-wrap: anywhere }
pre { font: 13px/1.45 ui-monospace, monospace; background: #f6f6f6; padding: .6rem;
  overflow-x: auto; margin: 0; unicode-bidi: isolate; tab-size: 4 }
mark { background: #ffe08a; color: inherit }
"""


def page(found: Found) -> str:
    """The whole page, as HTML."""
    lab = escape(found.lab)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">",
        f"<title>Similar code in {lab}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Similar code in {lab}</h1><p>{CAUTION}</p>",
        _table(found),
        *(_both(number, pair) for number, pair in enumerate(found.pairs[:SHOWN], 1)),
        _others(found),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _table(found: Found) -> str:
    n = len(found.compared)
    about = f"<p>{n} submissions with code of their own were compared"
    if not found.pairs:
        return f"{about}; none has much in common with another one or with the course's code.</p>"
    rows = "".join(
        f"<tr><td>{_link(number)}</td><td>{_name(pair.student)}</td><td>{_name(pair.other)}</td>"
        f'<td class="number">{pair.share:.0%}</td><td class="number">{pair.back:.0%}</td>'
        f'<td class="number">{pair.longest()} lines</td></tr>'
        for number, pair in enumerate(found.pairs, 1)
    )
    return (
        f"{about}. The table has the pairs with the most in common, the most alike first."
        "</p><table><thead><tr><th></th><th>student</th><th>and</th>"
        '<th class="number">of the student\'s code</th><th class="number">of the other\'s</th>'
        f'<th class="number">longest passage</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _link(number: int) -> str:
    return f'<a href="#pair-{number}">{number}</a>' if number <= SHOWN else str(number)


def _both(number: int, pair: Pair) -> str:
    """Two codes beside each other."""
    note = ""
    if not any(shared for code in (pair.code, pair.other_code) for _, shared in code):
        note = "<p>The passages could not be marked here.</p>"
    return (
        f'<h2 id="pair-{number}">{number}. {_name(pair.student)} and {_name(pair.other)}</h2>{note}'
        '<div class="both">'
        f"<div><h3>{_name(pair.student)}: {pair.share:.0%} shared</h3>{_marked(pair.code)}</div>"
        f"<div><h3>{_name(pair.other)}: {pair.back:.0%} shared</h3>{_marked(pair.other_code)}</div>"
        "</div>"
    )


def _marked(code: Code) -> str:
    pieces = (f"<mark>{escape(text)}</mark>" if shared else escape(text) for text, shared in code)
    return f"<pre>{''.join(pieces)}</pre>"


def _others(found: Found) -> str:
    """Who is not in the comparison."""
    parts = []
    if found.blank:
        names = ", ".join(map(_name, found.blank))
        parts.append(f"<h2>Without code of their own</h2><p>{names}</p>")
    if found.skipped:
        parts.append(f"<h2>Not read</h2><ul>{_items(found.skipped)}</ul>")
    return "\n".join(parts)


def _items(skipped: Mapping[str, str]) -> str:
    lines: Iterable[str] = (f"<li>{_name(s)}: {escape(why)}</li>" for s, why in skipped.items())
    return "".join(lines)


def _name(name: str) -> str:
    return f'<span class="name">{escape(name)}</span>'
