"""Shows NaN as the partial credit of a test that gives partial credit, before the test does."""

STOCK = "gains"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import sys

def mean(x):
    sys.displayhook(float("nan"))
    return 0.0
"""
    return notebook
