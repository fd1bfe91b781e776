"""The cells claim a newer version of nbgrader's format."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
REPAIR = "metadata of the cell"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["schema_version"] = 4
    return notebook
