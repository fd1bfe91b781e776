"""Appends to data that were handed in, and replaces and deletes some of them."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    (folder / "nums.csv").write_text("2\n")
    (folder / "old.txt").write_text("old")
    cells["double"].source = """
from pathlib import Path

def double(x):
    with open("nums.csv", "a") as file:
        file.write("3\\n")
    Path("old.txt").unlink(missing_ok=True)
    return int(Path("nums.csv").read_text().split()[0]) * x
"""
    cells["mean"].source = """
def mean(x):
    Path("nums.csv").write_text("5\\n")
    return x.mean()
"""
    return notebook
