"""HTML in an output begins a declaration that a parser refuses: no page is made of the notebook."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
from IPython.display import HTML, display

display(HTML("<p>my opinion<![x]]></p>"))
"""
    return notebook


def harmed(course):
    page = course / "feedback" / "declaration-in-output" / "lab" / "lab.html"
    return not page.exists()
