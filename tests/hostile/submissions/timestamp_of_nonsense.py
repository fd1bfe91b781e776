"""A timestamp that is no time."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
FLAG = "timestamp.txt holds no time"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    (folder / "timestamp.txt").write_text("99999-13-32 25:61 tea time")
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
