"""The notebook is a link to a device on which a reader waits for ever."""

STOCK = "stops"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"
FLAG = "it counts 0 points"
SECONDS = 20  # of stock nbgrader, before it counts as stopped
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    (folder / "lab.ipynb").symlink_to("/dev/ptmx")
