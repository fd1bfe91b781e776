"""Takes from everybody on this machine the right to use a device."""

import os
from pathlib import Path

STOCK = "harm" if os.geteuid() == 0 else "nothing"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os

for name in ("full", "zero"):
    try:
        os.chmod("/dev/" + name, 0o600)
    except OSError as error:
        print(type(error).__name__)
"""
    return notebook


def harmed(course):
    changed = False
    for name in ("full", "zero"):
        node = Path("/dev", name)
        if node.stat().st_mode & 0o777 != 0o666:
            node.chmod(0o666)
            changed = True
    return changed
