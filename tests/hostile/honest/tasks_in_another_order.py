"""The second task before the first, with its test: as in an older release, or moved by hand."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    names = ["setup", "mean", "test-mean", "double", "test-double", "essay"]
    notebook.cells = [cells[name] for name in names]
    return notebook
