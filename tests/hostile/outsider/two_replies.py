"""Answers every request many times over: a reply whose parts are of the wrong types, one with the wrong token, then the real one, and once more after it."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = r"""
def _thrice():
    import copy, json
    kernel = get_ipython().kernel
    real = kernel.session.send
    def send(stream, kind, content=None, *a, **k):
        if kind == "execute_reply" and isinstance(content, dict) and content.get("user_expressions"):
            real(stream, kind, {"status": 7, "user_expressions": [1, None], "payload": "x"}, *a, **k)
            real(stream, kind, {"user_expressions": {"answer": {"status": "ok", "data": {"text/plain": ["1", 2]}}}}, *a, **k)
            for points in (6, 42, 2.0):
                other = copy.deepcopy(content)
                for entry in other["user_expressions"].values():
                    try:
                        token, kind_, value = json.loads(entry["data"]["text/plain"])
                        entry["data"]["text/plain"] = json.dumps([token[::-1], kind_, points])
                    except Exception:
                        entry["data"] = {"text/plain": json.dumps(["0" * 32, "value", points])}
                real(stream, kind, other, *a, **k)
        out = real(stream, kind, content, *a, **k)
        if kind == "execute_reply":
            real(stream, kind, content, *a, **k)
        return out
    kernel.session.send = send
_thrice()
def double(x):
    return 0
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = CODE
    cells["mean"].source = "def mean(x):\n    return 0"
    return notebook
