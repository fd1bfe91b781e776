"""A notebook of a terabyte that takes no room on the disk."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"
FLAG = "it counts 0 points"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    with (folder / "lab.ipynb").open("wb") as file:
        file.truncate(1 << 40)
