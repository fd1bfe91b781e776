"""Beside the notebook there is a file of a terabyte that takes no room until it is copied.

Stock copies it until the disk is full. Here its files are limited, for the sake of this machine, so
that the copy fails and nothing is left to see.
"""

STOCK = "nothing"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FLAG = "is larger than"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    with (folder / "data.bin").open("wb") as file:
        file.truncate(1 << 40)
    return notebook
