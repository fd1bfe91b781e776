"""Removes the kernel's end of the link in the middle of a question."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["double"].source = """
import sys

def double(x):
    del sys.modules["_labkit_answers"]
    return x
"""
    return notebook
