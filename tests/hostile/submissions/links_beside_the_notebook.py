"""Beside the notebook there are links to a file and a folder of the instructor's."""

SECRET = "the key of the instructor"


STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FLAG = "is a link to another file"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    (secrets := folder.parents[2] / "secrets").mkdir()
    (secrets / "key").write_text(SECRET)
    (folder / "key").symlink_to(secrets / "key")
    (folder / "keys").symlink_to(secrets)
    return notebook


def harmed(course):
    copies = (course / "autograded" / "links-beside-the-notebook").rglob("*")
    return any(SECRET in path.read_text("utf-8") for path in copies if path.is_file())
