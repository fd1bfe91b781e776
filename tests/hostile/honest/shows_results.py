"""Cells that show scores of their own, and functions that show what they return."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import sys

def double(x):
    display(2 * x)
    sys.displayhook(0.0)
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    return x.mean()
"""
    cells["essay"].source = """
0.0
"""
    return notebook
