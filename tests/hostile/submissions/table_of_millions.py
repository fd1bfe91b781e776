"""A table of 1,600 cells says that it has 1.6 million columns: a browser is busy for minutes."""

import re

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
from IPython.display import HTML, display

display(HTML("<table><tr>" + "<td colspan='1000'>x</td>" * 1600 + "</tr></table>"))
"""
    return notebook


def harmed(course):
    page = course / "feedback" / "table-of-millions" / "lab" / "lab.html"
    spans = re.findall(r"<td colspan=['\"](\d+)", page.read_text(encoding="utf-8"))
    return sum(map(int, spans)) > 100_000
