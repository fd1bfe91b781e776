"""A print ends within the code of a colour, at which nbconvert's filter fails: no page is made.

Neither does the student get feedback, nor can the essay be marked.
"""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = 'print("\\x1b[38m my opinion")'
    return notebook


def harmed(course):
    page = course / "feedback" / "half-a-colour" / "lab" / "lab.html"
    return not page.exists() or "my opinion" not in page.read_text(encoding="utf-8")
