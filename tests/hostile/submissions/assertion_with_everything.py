"""The message of a failed assertion is the whole of a large list."""

STOCK = "nothing"  # see one_long_error.py
MARKS = {"test-double": 1.0, "test-mean": 0.0}
FLAG = "said more at once than can be read"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells[
        "mean"
    ].source = "values = list(range(6_000_000))\nassert values == [], f'{values} is not empty'"
    return notebook
