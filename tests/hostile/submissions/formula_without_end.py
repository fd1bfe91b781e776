"""A formula nests four hundred roots, at which a browser's tab crashes; another defines itself."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True

ROOTS = "\\sqrt{" * 400 + "x" + "}" * 400
ITSELF = "\\def\\a{xxxxxxxxxx\\a}\\a"


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = f"""
from IPython.display import Math, display

display(Math({ROOTS!r}), Math({ITSELF!r}))
"""
    return notebook


def harmed(course):
    """Whether MathJax is given the formula without being told to stop."""
    page = course / "feedback" / "formula-without-end" / "lab" / "lab.html"
    text = page.read_text(encoding="utf-8")
    return "\\sqrt{" * 400 in text and "nested too deeply" not in text
