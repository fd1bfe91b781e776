"""Ten thousand outputs, small enough together: writing them takes time that all others wait for."""

STOCK = "nothing"  # seconds for nobody but whoever waits; kept for the limit
MARKS = {"test-double": 0.0, "test-mean": 2.0}
FLAG = "A cell had more than 1000 outputs"


def hand_in(folder, cells, notebook):
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["double"].source = """
import time

def double(x):
    return x


for number in range(10_000):
    get_ipython().display_pub.publish({"text/plain": ""})
    if number % 500 == 0:
        time.sleep(0.1)  # so that a slow reader misses none
"""
    return notebook
