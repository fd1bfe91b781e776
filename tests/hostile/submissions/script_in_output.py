"""An output holds a script, which would run in the browser of whoever opens the feedback."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FEEDBACK = True


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
from IPython.display import HTML, Javascript, display

display(HTML("<script>document." + "title = 'owned'</script>"))
display(HTML("<img src=x onerror=\\"document." + "title = 'owned'\\">"))
display(Javascript("document." + "title = 'owned'"))
"""
    return notebook


def harmed(course):
    page = course / "feedback" / "script-in-output" / "lab" / "lab.html"
    text = page.read_text(encoding="utf-8")
    return "<script>document.title" in text or 'onerror="document.title' in text
