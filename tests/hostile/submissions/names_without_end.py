"""Twelve thousand small files: nbgrader looks for each among all of them."""

STOCK = "stops"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
FLAG = "There are more than 5000 names beside the notebook"


def hand_in(folder, cells, notebook):
    for number in range(12_000):
        (folder / f"{number}.txt").write_text("")
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
