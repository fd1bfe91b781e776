"""A test is there twice, once with an easier text: nbgrader may take either, or stop."""

STOCK = "stops"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "was there twice"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    copy = dict(cells["test-double"]) | {"id": "copy", "source": "pass"}
    notebook.cells.append(copy)
    return notebook
