"""Two hundred processes, each in a session of its own and out of reach of the kernel's end."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os

for _ in range(200):
    try:
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", "86422"])
    except OSError:
        break
"""
    return notebook


def harmed(course):
    return "sleep 86422" in (course / "left.txt").read_text(encoding="utf-8")
