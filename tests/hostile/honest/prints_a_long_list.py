"""Prints a list of millions of numbers in one go: more than one message may hold."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x\n\nprint(list(range(5_000_000)))"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
