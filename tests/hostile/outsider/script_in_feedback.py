"""The essay's output is HTML and SVG with a script: whoever opens the executed notebook to mark the essay by hand runs the student's script in the formgrader, with the marker's rights."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

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
    """True if a live script is among the outputs that the marker's browser gets."""
    import json

    for step in ("autograded", "feedback"):
        for path in (course / step).rglob("*.ipynb"):
            if "zz-honest" in path.parts:
                continue
            for cell in json.loads(path.read_text())["cells"]:
                for out in cell.get("outputs", []):
                    data = out.get("data", {})
                    text = json.dumps(data.get("text/html", "")) + json.dumps(
                        data.get("image/svg+xml", "")
                    )
                    if "<script" in text or "onload=" in text or "onerror=" in text:
                        return True
        for path in (course / step).rglob("*.html"):
            if "zz-honest" not in path.parts and "<script>fetch(" in path.read_text():
                return True
    return False
