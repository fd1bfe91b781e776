"""Hands in a data file which is a symbolic link to a device that never ends (here /dev/ptmx, which blocks; /dev/zero would fill the disk as well): the grader copies the files beside the notebook before any timeout runs."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    (folder / "data.csv").symlink_to("/dev/ptmx")
    return notebook
