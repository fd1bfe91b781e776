"""Shows a score inside the test, before its assert fails: the first output of a cell may win."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import sys

def double(x):
    sys.displayhook(1.0)
    return x
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
