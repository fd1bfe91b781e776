"""Answers with something that never ends and never says so.

nbgrader's own limit of time ends it, too; kept because the judge walks through it from outside.
"""

STOCK = "nothing"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import itertools

class Endless:
    def __iter__(self):
        return itertools.repeat(self)

    def __len__(self):
        return 2**62

    def __getitem__(self, key):
        return self

def mean(x):
    return [Endless(), Endless()]
"""
    return notebook
