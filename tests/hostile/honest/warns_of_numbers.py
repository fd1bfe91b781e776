"""Right answers, on the way to which numpy divides by zero."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    np.ones(3) / np.zeros(3)
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    np.array([]).mean()
    return x.mean()
"""
    return notebook
