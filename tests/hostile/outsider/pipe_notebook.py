"""Hands in a named pipe called lab.ipynb: whoever opens it to read waits for a writer who never comes, and no cell timeout is running yet."""

import os

STOCK = "stops"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"


def hand_in(folder, cells, notebook):
    os.mkfifo(folder / "lab.ipynb")
    return None
