"""The notebook is a link to a file of the instructor's, which is copied and shown."""

import nbformat

SECRET = "what only the instructor may read"


STOCK = "harm"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "rejected"
FLAG = "it counts 0 points"
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["essay"].source = SECRET
    secret = folder.parents[2] / "secret.ipynb"
    secret.write_text(nbformat.writes(notebook))
    (folder / "lab.ipynb").symlink_to(secret)


def harmed(course):
    copies = (course / "autograded" / "link-to-a-secret").rglob("*")
    return any(SECRET in path.read_text("utf-8") for path in copies if path.is_file())
