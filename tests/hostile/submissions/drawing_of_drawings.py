"""A short drawing draws each part ten times in the next, a million in all: a browser stops."""

import base64
import re

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
from IPython.display import SVG, display

parts = "".join(
    f'<g id="g{n + 1}">' + f'<use xlink:href="#g{n}"/>' * 10 + "</g>" for n in range(6)
)
display(SVG(
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    '<g id="g0"><path d="M 0 0 L 9 9"/></g>' + parts + "</svg>"
))
"""
    return notebook


def harmed(course):
    page = course / "feedback" / "drawing-of-drawings" / "lab" / "lab.html"
    shown = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page.read_text(encoding="utf-8"))
    return any(base64.b64decode(each).count(b"<use") > 50 for each in shown)
