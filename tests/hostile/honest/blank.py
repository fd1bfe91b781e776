"""Nothing was done; the functions are there."""

MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    raise NotImplementedError
"""
    cells["mean"].source = """
def mean(x): ...
"""
    return notebook
