"""Makes millions of empty files: none takes room, each takes memory."""

STOCK = "nothing"  # kept because a limit of bytes does not count them
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os

made = 0
try:
    for number in range(400_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError:
    pass
for number in range(made):
    os.unlink(f"/tmp/{number}")
"""
    return notebook
