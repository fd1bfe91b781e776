"""Hands in no notebook but a symbolic link to a neighbour's: the grader follows it and marks the neighbour's work under this name."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"


def hand_in(folder, cells, notebook):
    (folder / "lab.ipynb").symlink_to("../../zz-honest/lab/lab.ipynb")
    return None
