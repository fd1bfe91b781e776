"""Asks for nine gigabytes in one piece, and twelve more in many."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import mmap

kept = []
for size in [9 << 30] + [1 << 30] * 12:
    try:
        kept.append(mmap.mmap(-1, size))
    except OSError:
        pass
print("taken:" + " much" * (sum(map(len, kept)) > 6 << 30))
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "eight-gigabytes" / "lab" / "lab.ipynb"
    return "taken: much" in notebook.read_text(encoding="utf-8")
