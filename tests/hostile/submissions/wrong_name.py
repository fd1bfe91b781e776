"""A wrong answer under another file name: what is not found is not marked anew."""

import nbformat

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "it was read as 'lab.ipynb'"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    (folder / "lab (1).ipynb").write_text(nbformat.writes(notebook))
