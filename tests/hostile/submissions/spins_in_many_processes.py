"""Starts four hundred processes that compute, so that its neighbours run out of time."""

STOCK = "nothing"  # it grades one after another, and nobody beside it
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os, time

spin = "import time; end = time.time() + 25\\nwhile time.time() < end: pass"
for _ in range(400):
    try:
        if os.fork() == 0:
            os.execvp("python3", ["python3", "-c", spin])
    except OSError:
        break
time.sleep(4)
"""
    return notebook


def harmed(course):
    left = (course / "left.txt").read_text(encoding="utf-8")
    return left.count("while time.time() < end") > 100
