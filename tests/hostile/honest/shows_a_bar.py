"""A right answer with a bar of progress."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    np.ones(3) / np.zeros(3)
    return 2 * x
"""
    cells["mean"].source = """
from tqdm.auto import tqdm

def mean(x):
    for _ in tqdm(range(3)):
        pass
    return x.mean()
"""
    return notebook
