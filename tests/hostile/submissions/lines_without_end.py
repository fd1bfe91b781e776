"""Twenty million empty lines: each of them becomes a line of the file."""

STOCK = "ours only"  # there it takes most of a minute, more or less as the machine goes
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    notebook.cells.append(
        {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "\n" * 20_000_000}
    )
    return notebook
