"""Right answers that draw, and print a number on the way."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import matplotlib.pyplot as plt

def double(x):
    plt.plot([1, 2])
    plt.show()
    print(0.0)
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    figure, axes = plt.subplots()
    axes.hist(x.ravel())
    display(figure)
    return x.mean()
"""
    cells["essay"].source = """
%matplotlib inline
plt.plot([1, 2])
"""
    return notebook
