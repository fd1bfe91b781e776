"""Rewrites the instructor's notebook: those who are graded after it get easier tests."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import pathlib

for folder in pathlib.Path.cwd().parents:
    for path in folder.glob("source/lab/lab.ipynb"):
        path.write_text(path.read_text().replace("the-hidden-test", "an-easier-test"))
"""
    return notebook


def harmed(course):
    return "an-easier-test" in (course / "source" / "lab" / "lab.ipynb").read_text("utf-8")
