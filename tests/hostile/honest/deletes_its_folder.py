"""Tidies up too well: what it had in its working folder is gone, the folder too where it can."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import os, shutil

place = os.getcwd()
os.chdir("/")
shutil.rmtree(place, ignore_errors=True)

def double(x):
    return 2 * x
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
