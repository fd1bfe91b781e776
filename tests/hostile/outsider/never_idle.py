"""Never says that it is idle: each cell is answered at once, and whoever waits for the end of its outputs waits in vain."""

STOCK = "nothing"  # four seconds for each cell
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _quiet():
    kernel = get_ipython().kernel
    real = kernel.session.send
    def send(stream, kind, *a, **k):
        if kind == "status" or (isinstance(kind, dict) and kind.get("header", {}).get("msg_type") == "status"):
            return None
        return real(stream, kind, *a, **k)
    kernel.session.send = send
_quiet()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x\n" + CODE
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
