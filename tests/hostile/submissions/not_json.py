"""Half a notebook."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"
FLAG = "it counts 0 points"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    (folder / "lab.ipynb").write_text('{"cells": [{"cell_type": "code", "source": ["print(1)"')
