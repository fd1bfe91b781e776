"""Prints a gigabyte, in few lines: a limit of lines does not see it."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os

for _ in range(int(os.environ.get("OUTPUT_MB", 1000))):  # less where nothing limits it
    print("x" * 10**6, end="")
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "gigabyte-of-output" / "lab" / "lab.ipynb"
    return notebook.stat().st_size > 50_000_000
