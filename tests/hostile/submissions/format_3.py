"""A notebook of the old format 3, which has no place for cell ids."""

import nbformat

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "old format 3"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return nbformat.convert(notebook, 3)
