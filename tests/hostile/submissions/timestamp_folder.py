"""A folder called timestamp.txt, with a file in it: nbgrader opens it as a file."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
FLAG = "The file 'timestamp.txt/x' was left out"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    (folder / "timestamp.txt").mkdir()
    (folder / "timestamp.txt" / "x").write_text("mine")
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
