"""File names as a hostile archive has them: they climb on Windows, hide, or look like options.

nbgrader copies them as they are called; kept because the sandbox is told of each by its name.
"""

STOCK = "nothing"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    for name in (
        "..\\..\\gradebook.db",
        "--bind",
        "-rf",
        "a\nb",
        ". ",
        "%s {0} $HOME `id`",
        "é\u202e",
    ):
        (folder / name).write_text("from an archive")
    (folder / ".. ").mkdir()
    (folder / ".. " / "gradebook.db").write_text("from an archive")
    return notebook
