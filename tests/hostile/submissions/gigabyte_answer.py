"""Answers with a gigabyte.

In nbgrader nothing is sent; kept because the judge must not hold what it is sent.
"""

STOCK = "nothing"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import numpy as np

def mean(x):
    return np.ones(1) if len(x) == 3 and x[0] == x[2] else np.zeros(2**27)
"""
    return notebook
