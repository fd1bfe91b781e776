"""The right answers."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    return x.mean()
"""
    return notebook
