"""Ends in an error of forty megabytes: the answer is larger than one message may be, and the
connection on which it comes is gone for good."""

STOCK = "nothing"  # it has no limit; kept because a limit without a way out hung the whole class
MARKS = {"test-double": 1.0, "test-mean": 0.0}
FLAG = "said more at once than can be read"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "raise ValueError('x' * 40_000_000)"
    return notebook
