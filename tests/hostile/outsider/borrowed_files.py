"""Hands in symbolic links named like data files which point at the course's source notebook and gradebook: the grader, who may read them, copies what they point at into the student's own folder, where the notebook finds the model solution."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = """
def _own(name):
    import json, os, sqlite3
    for path in ("data.json", "more/data.json"):
        try:
            for cell in json.load(open(path))["cells"]:
                text = "".join(cell["source"])
                if cell["metadata"].get("nbgrader", {}).get("grade_id") == name and "return" in text:
                    return text
        except Exception:
            pass
    return "def %s(x):\\n    return 0" % name
exec(_own("double"))
"""


def hand_in(folder, cells, notebook):
    course = folder.resolve().parent.parent.parent
    (folder / "data.json").symlink_to(course / "source" / "lab" / "lab.ipynb")
    (folder / "data.db").symlink_to("../../../gradebook.db")
    (folder / "more").mkdir()
    (folder / "more" / "data.json").symlink_to("../../../../source/lab/lab.ipynb")
    cells["double"].source = CODE
    cells["mean"].source = 'exec(_own("mean"))'
    return notebook
