"""Writes another test in place of the test, unlocks it and gives it 100 points.

nbgrader puts its own text and points back, too; kept because triage has to say so, and to agree.
"""

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "'test-double' is not for editing"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["test-double"].source = "assert True"
    cells["test-double"].metadata["nbgrader"] |= {"points": 100, "locked": False}
    return notebook
