"""Files called as labkit's own marker of a submission that is being graded, in autograded/."""

STOCK = "nothing"  # the marker is labkit's; kept because it made labkit itself fail
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    for name in (".unfinished", ".lab.unfinished"):
        (folder / name).mkdir()
        (folder / name / "x").write_text("mine")
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
