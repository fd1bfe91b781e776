"""Writes the JSON so that readers disagree: cells, source, points and metadata appear twice under one key, points are NaN and 1e999, the ids of the cells repeat and the minor version is 99."""

import json

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 0"
    cells["mean"].source = "def mean(x):\n    return 0"
    notebook.nbformat_minor = 99
    for cell in notebook.cells:
        cell["id"] = "same"
    text = json.dumps(notebook)
    text = text.replace('"points": 1,', '"points": 100, "points": NaN,').replace(
        '"points": 2,', '"points": 1e999,'
    )
    source = json.dumps(cells["test-mean"].source)
    text = text.replace('"source": ' + source, '"source": ' + source + ', "source": "2.0"')
    text = '{"cells": [], ' + text[1:]
    (folder / "lab.ipynb").write_text(text)
    return None
