"""Keeps two gigabytes in files that have no name, where no count of processes sees them."""

STOCK = "harm"
FLAG = "of memory"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os

kept, written, block = [], 0, bytes(16 << 20)
try:
    for _ in range(4):
        kept.append(os.memfd_create("kept"))
        for _ in range(32):
            written += os.write(kept[-1], block)
except OSError:
    pass
print("kept:" + " much" * (written > 18 * 10**8))
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "memory-of-no-process" / "lab" / "lab.ipynb"
    return "kept: much" in notebook.read_text(encoding="utf-8")
