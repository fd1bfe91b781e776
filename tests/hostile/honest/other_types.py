"""The same values in other types: Python numbers for numpy's, an array without dimensions."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    return [2 * value for value in x] if isinstance(x, np.ndarray) else np.int32(2 * x)
"""
    cells["mean"].source = """
def mean(x):
    return np.asarray(sum(float(value) for value in x.ravel()) / x.size)
"""
    return notebook
