"""Asks for eight gigabytes, and then takes memory piece by piece until there is no more.

It stops at 2.4 GB, so that it does no harm where nothing stops it; the class is graded with a limit
of 1.5 GB.
"""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FLAG = "kernel"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import time

try:
    bytearray(8 << 30)
except MemoryError:
    pass
kept = []
for _ in range(8):
    kept.append(b"x" * (300 << 20))
    time.sleep(0.1)
print("taken:" + " much" * (len(kept) == 8))
time.sleep(1)
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "takes-memory" / "lab" / "lab.ipynb"
    return "taken: much" in notebook.read_text(encoding="utf-8")
