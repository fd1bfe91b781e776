"""Prints for ever, as fast as it can, from a thread that outlives its cell."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os, threading

def flood():
    for _ in range(int(os.environ.get("OUTPUT_MB", 10**6))):  # less where nothing limits it
        print("x" * 10**6)

thread = threading.Thread(target=flood, daemon=True)
thread.start()
thread.join(3)
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "endless-output" / "lab" / "lab.ipynb"
    return notebook.stat().st_size > 50_000_000
