"""Edits its answers on the way out: instead of a number comes a set of 200,000 different integers which all have the hash 0. Small to send, and whoever builds the set compares twenty thousand million times, in the judge's time."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = r"""
import json as _json
def _forge():
    shell = get_ipython()
    real = shell.user_expressions
    numbers = [k * (2**61 - 1) for k in range(1, 200_001)]
    texts = {"a set": _json.dumps(["set", numbers]), "a dict": _json.dumps(["dict", [[k, 0] for k in numbers]])}
    def user_expressions(expressions):
        out = real(expressions)
        for entry in out.values():
            try:
                token, kind, value = _json.loads(entry["data"]["text/plain"])
                entry["data"]["text/plain"] = '["%s", "%s", %s]' % (token, kind, texts[value])
            except Exception:
                pass
        return out
    shell.user_expressions = user_expressions
_forge()
def double(x):
    return "a set"
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = CODE
    cells["mean"].source = "def mean(x):\n    return x.mean() if x.ndim == 1 else 'a dict'"
    return notebook
