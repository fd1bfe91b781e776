"""Crashes the kernel in a test; earlier work had full marks."""

STOCK = "gains"  # the old score stands
MARKS = {"test-double": 1.0, "test-mean": 0.0}
FLAG = "kernel"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import ctypes

def mean(x):
    return ctypes.string_at(0)
"""
    return notebook
