"""Pastes a second copy of a test cell at the end, as can happen by mistake: stock nbgrader empties the metadata of one copy, then takes the empty metadata for an outdated notebook and stops the whole run."""

import copy

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    spare = copy.deepcopy(cells["test-double"])
    spare["id"] = "spare"
    notebook.cells.append(spare)
    return notebook
