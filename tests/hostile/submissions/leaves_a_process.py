"""Starts a program that goes on when the submission has been graded."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import subprocess

subprocess.Popen(["sh", "-c", "trap '' TERM HUP INT; exec sleep 86411"], start_new_session=True)
"""
    return notebook


def harmed(course):
    return "sleep 86411" in (course / "left.txt").read_text(encoding="utf-8")
