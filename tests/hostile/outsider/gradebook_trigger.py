"""Plants a trigger in gradebook.db which sets the neighbours' marks to zero whenever they are written: no process has to stay behind, the grader itself does it from then on."""

import sqlite3

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _plant():
    import os, sqlite3
    here = os.getcwd()
    student = os.path.basename(os.path.dirname(here)).replace("'", "")
    while here != "/":
        here = os.path.dirname(here)
        path = os.path.join(here, "gradebook.db")
        if os.path.exists(path):
            db = sqlite3.connect(path, timeout=3)
            who = "(select sa.student_id from submitted_notebook sn join submitted_assignment sa on sn.assignment_id = sa.id where sn.id = new.notebook_id)"
            db.execute("create trigger t1 after update of auto_score on grade when %s <> '%s' begin update grade set manual_score = 0 where id = new.id; end" % (who, student))
            db.commit()
            return
try:
    _plant()
except Exception:
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
    return neighbour_changed(course)
