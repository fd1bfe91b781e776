"""While running replaces its own lab.ipynb (and likely result files) by symbolic links to a neighbour's submission: the trusted process then writes the results through the link, over the neighbour's work."""

import sqlite3

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _swap():
    import os
    lab = os.path.basename(os.getcwd())
    for name in ("lab.ipynb", "result.json", "results.json", "report.json", "output.ipynb", "lab.html"):
        try:
            if os.path.lexists(name):
                os.remove(name)
            os.symlink("../../../submitted/zz-honest/%s/lab.ipynb" % lab, name)
        except OSError:
            pass
_swap()
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
    cells["double"].source = "def double(x):\n    return 2 * x  # written-through-the-link"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    path = course / "submitted" / "zz-honest" / "lab" / "lab.ipynb"
    return "written-through-the-link" in path.read_text() or neighbour_changed(course)
