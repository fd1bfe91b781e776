"""A class of the student's own does the work."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
class Doubler:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x

double = Doubler(2)
"""
    cells["mean"].source = """
import functools

mean = functools.partial(np.mean, axis=None)
"""
    return notebook
