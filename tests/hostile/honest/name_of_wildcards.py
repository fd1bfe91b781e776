"""A student whose name is a pattern for names of files, which nbgrader itself does not find."""

STUDENT = "[abc] *?"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
