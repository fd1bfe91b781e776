"""The essay's output is HTML and SVG with a script: whoever opens the executed notebook to mark the essay by hand runs the student's script in the formgrader, with the marker's rights."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True

CODE = r"""
from IPython.display import display
display({"text/html": "<script>fetch('/formgrader/api/grades')</script><img src=x onerror='window.outsider=1'>",
         "image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='window.outsider=1'></svg>",
         "application/javascript": "window.outsider = 1",
         "text/plain": "a plot"}, raw=True)
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    """True if a live script is on the page that is made of the outputs."""
    import re

    pages = [path.read_text() for path in (course / "feedback").rglob("*.html")]
    return any(re.search(r"<script[^>]*>[^<]*(window.outsider|fetch\()", page) for page in pages)
