"""Prints one line of 60 million characters: the limit on output counts lines, so the executed notebook and the feedback grow to 60 MB and cannot be opened any more."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
for _i in range(60):
    print("x" * 10**6, end="", flush=True)
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    return any(
        p.stat().st_size > 30e6
        for step in ("autograded", "feedback")
        for p in (course / step).rglob("*")
        if p.is_file()
    )
