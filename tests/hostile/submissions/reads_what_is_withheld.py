"""Reads the reference solution in labkit, by every way to a module's text."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import glob, importlib, inspect, linecache, marshal, pathlib, pkgutil

import labkit.folds as folds

importlib.reload(folds)
place = pathlib.Path(folds.__file__)
found = [inspect.getsource(folds), place.read_text(), "".join(linecache.getlines(str(place)))]
found.append(pkgutil.get_data("labkit", "folds.py").decode())
for path in glob.glob(str(place.parent / "__pycache__" / "folds*")):
    found.append(str(marshal.loads(pathlib.Path(path).read_bytes()[16:]).co_consts))
print("randperm" in "".join(found) and "read: " + "all of it")
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "reads-what-is-withheld" / "lab" / "lab.ipynb"
    return "read: all of it" in notebook.read_text(encoding="utf-8")
