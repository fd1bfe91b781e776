"""The work is done in threads and in other processes."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

def twice(x):
    return 2 * x

def double(x):
    with ProcessPoolExecutor(2) as pool:
        return pool.submit(twice, x).result()
"""
    cells["mean"].source = """
def mean(x):
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(float, x.ravel())) / x.size
"""
    return notebook
