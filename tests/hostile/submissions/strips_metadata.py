"""An editor, or a student, has taken all metadata away: there are no tests any more."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "metadata of the cell 'test-double'"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook
