"""The notebook is a pipe: whoever opens it waits for ever."""

import os


STOCK = "stops"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"
FLAG = "it counts 0 points"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    os.mkfifo(folder / "lab.ipynb")
