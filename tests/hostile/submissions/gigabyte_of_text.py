"""Answers with a gigabyte of text that the kernel's end has not limited."""

STOCK = "ours only"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import sys

def mean(x):
    module = sys.modules["_labkit_answers"]

    class Long:
        def __repr__(self):
            return "[" * 10**9

    module.answer = lambda question: Long()
    return 1
"""
    return notebook
