"""Right for a row, wrong for a table: a part of the points."""

MARKS = {"test-double": 1.0, "test-mean": 0.5}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    return float(x.sum()) / len(x)
"""
    return notebook
