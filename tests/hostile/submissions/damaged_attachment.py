"""A picture that is none, in a text cell: a notebook with it is invalid."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
REPAIR = "Attachments that cannot be shown were dropped."
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    notebook.cells.append(
        {
            "cell_type": "markdown",
            "id": "mine",
            "metadata": {},
            "source": "![me](attachment:me.png)",
            "attachments": {"me.png": {"image/png": 5}, "you.png": None},
        }
    )
    return notebook
