"""Needs some seconds of a processor, within its limit, whatever runs beside it."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import time

def double(x):
    began = time.process_time()
    while time.process_time() - began < 1.2:
        pass
    return 2 * x
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
