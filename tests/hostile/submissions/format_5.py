"""A notebook that claims a format which does not exist yet."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "has format 5"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook | {"nbformat": 5}
