"""Adds sixteen cells of its own that sleep for 4.5 seconds each: every one stays under the limit for a cell, the notebook as a whole takes more than a minute, and could as well take a day."""

from nbformat.v4 import new_code_cell

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
SECONDS = 130  # of stock nbgrader


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    for i in range(16):
        notebook.cells.insert(
            -1, new_code_cell("import time\ntime.sleep(4.5)\nprint('CLOCK', time.time())")
        )
    return notebook


def harmed(course):
    import re

    for path in (course / "autograded").rglob("*.ipynb"):
        clock = [float(t) for t in re.findall(r"CLOCK (\d+\.\d+)", path.read_text())]
        if clock and max(clock) - min(clock) > 45:
            return True
    return False
