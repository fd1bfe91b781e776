"""Saved as UTF-16.

nbgrader fails on it, so right work has no marks; kept because that is a loss.
"""

import nbformat

STOCK = "nothing"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
REPAIR = "saved as UTF-16"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    (folder / "lab.ipynb").write_text(nbformat.writes(notebook), encoding="utf-16")
