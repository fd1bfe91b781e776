"""Makes an empty autograded folder for every other student: nbgrader takes it for work already graded and passes the student over, without an error."""

STOCK = "stops"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = """
def _skip():
    import os
    up = os.path.abspath(os.path.join(os.getcwd(), "..", ".."))
    lab = os.path.basename(os.getcwd())
    others = ["zz-honest"]
    try:
        others += os.listdir(os.path.join(up, "..", "submitted"))
    except OSError:
        pass
    for other in others:
        try:
            os.makedirs(os.path.join(up, other, lab), exist_ok=True)
        except OSError:
            pass
_skip()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
