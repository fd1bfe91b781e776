"""A time as Windows writes it: nbgrader takes "6:00:00 PM" for six in the morning."""

STOCK = "nothing"  # the course has no due date; with one, twelve hours would be gained
MARKS = {"test-double": 0.0, "test-mean": 2.0}
FLAG = "where the day or the month may come first. It was read as 2026-03-02 18:00:00 UTC"


def hand_in(folder, cells, notebook):
    (folder / "timestamp.txt").write_text("3/2/2026 6:00:00 PM")
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
