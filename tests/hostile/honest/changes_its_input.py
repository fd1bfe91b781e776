"""The input is changed in place; the test has a copy of its own."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    x *= 2
    return x
"""
    cells["mean"].source = """
def mean(x):
    result = x.mean()
    x[...] = 0
    return result
"""
    return notebook
