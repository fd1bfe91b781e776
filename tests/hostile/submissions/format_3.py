"""A notebook of the old format 3, which has no place for cell ids.

nbgrader upgrades it, too; kept because it is the oldest format that is still met.
"""

import nbformat

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "old format 3"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return nbformat.convert(notebook, 3)
