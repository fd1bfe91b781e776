"""Reads data that were handed in with the notebook, and writes files of its own."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    (folder / "data").mkdir()
    (folder / "data" / "factor.txt").write_text("2")
    (folder / "helper.py").write_text("def average(x):\n    return x.mean()\n")
    cells["double"].source = """
from pathlib import Path

def double(x):
    Path("notes").mkdir(exist_ok=True)
    Path("notes/log.txt").write_text(str(x))
    return int(Path("data/factor.txt").read_text()) * x
"""
    cells["mean"].source = "from helper import average as mean"
    return notebook
