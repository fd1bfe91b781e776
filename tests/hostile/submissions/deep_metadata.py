"""Metadata in lists in lists: each level costs the writer of the file a step for each item."""

STOCK = "stops"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "Metadata that grading does not need were damaged or endless"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    tree = [0] * 4_000_000
    for _ in range(150):
        tree = [tree]
    notebook.metadata["mine"] = tree
    return notebook
