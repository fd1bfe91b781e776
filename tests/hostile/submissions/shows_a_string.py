"""Shows a text where a score is read: what is no number may count as full marks."""

STOCK = "gains"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import sys, warnings

def mean(x):
    sys.displayhook("full marks")
    warnings.warn("and a warning after it")
    return "2.0"
"""
    return notebook
