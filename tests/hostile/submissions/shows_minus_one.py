"""Shows a score of -1 before the assert fails, and makes noise on stderr after it."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import sys

def double(x):
    sys.displayhook(-1)
    print("Warning: this is only noise", file=sys.stderr)
    return x
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
