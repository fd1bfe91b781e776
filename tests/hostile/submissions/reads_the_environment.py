"""Looks for secrets in the environment, its own and that of every process it can see."""

from hostile.harness import TOKEN

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = r"""
import glob

for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/task/*/environ"):
    try:
        text = open(path, errors="replace").read()
    except OSError:
        continue
    print([line for line in text.split("\0") if line.startswith("LMS_TOKEN")])
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "reads-the-environment" / "lab" / "lab.ipynb"
    return TOKEN in notebook.read_text(encoding="utf-8")
