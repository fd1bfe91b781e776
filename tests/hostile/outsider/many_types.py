"""Edits its answers on the way out into a list of 280,000 namedtuples, each of a type of its own: thirty letters to send, a third of a millisecond to build a class for it, and all in the judge's time."""

import json

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = r"""
import json as _json
def _forge():
    shell = get_ipython()
    real = shell.user_expressions
    def user_expressions(expressions):
        out = real(expressions)
        for entry in out.values():
            try:
                token, kind, value = _json.loads(entry["data"]["text/plain"])
                if value == "types":
                    types = ",".join('["namedtuple","t%d",["a"],[1]]' % i for i in range(280_000))
                    entry["data"]["text/plain"] = '["%s", "%s", ["list", [%s]]]' % (token, kind, types)
            except Exception:
                pass
        return out
    shell.user_expressions = user_expressions
_forge()
def double(x):
    return "types"
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = CODE
    cells["mean"].source = "def mean(x):\n    return 0"
    return notebook


def harmed(course):
    """Whether this one test took more than three times what a cell may take."""
    report = course / "grading-report.jsonl"
    lines = [json.loads(t) for t in report.read_text().splitlines()] if report.exists() else []
    return any(e["student"] == "many-types" and e["tests_seconds"] > 15 for e in lines)
