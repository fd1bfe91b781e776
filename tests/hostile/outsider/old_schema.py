"""Sets the nbgrader schema_version of one cell to 2 (and of another to 4): stock nbgrader takes an outdated notebook for a reason to stop the whole run."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].metadata.nbgrader["schema_version"] = 2
    cells["setup"].metadata.nbgrader["schema_version"] = 4
    return notebook
