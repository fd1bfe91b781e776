"""Cells of the student's own fail, one does not end, and right answers stand beside them."""

from nbformat.v4 import new_code_cell

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    for text in (
        "1 / 0",
        "while True:\n    pass",
        "%%bash\nexit 3",
        "import no_such_module",
        "1 +",
    ):
        notebook.cells.insert(3, new_code_cell(text))
    return notebook
