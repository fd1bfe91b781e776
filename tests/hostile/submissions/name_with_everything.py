"""An attack by a student whose name has quotes, brackets, spaces and letters of the world."""

STUDENT = 'Zoë "Z" O\'Neill-Żuk 李; $(id) %s {0}'


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
