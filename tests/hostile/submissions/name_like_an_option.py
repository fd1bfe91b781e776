"""A student whose name looks like options and a path."""

STUDENT = "-rf --force \\ lab"


STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["test-double"].metadata["tags"] = ["skip-execution"]
    return notebook
