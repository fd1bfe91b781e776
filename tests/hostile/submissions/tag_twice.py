"""The same tag twice: a notebook with it is invalid."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "Metadata that grading does not need were damaged or endless"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["double"].metadata["tags"] = ["mine", "mine"]
    return notebook
