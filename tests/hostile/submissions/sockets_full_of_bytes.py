"""Fills the buffers of as many sockets as it can open."""

STOCK = "ours only"  # how much a process may hold there is up to the machine
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os, socket

kept, held = [], 0
try:
    while True:
        one, other = socket.socketpair()
        kept += [one, other]
        for each in (one, other):
            each.setblocking(False)
            try:
                while True:
                    held += each.send(bytes(1 << 16))
            except BlockingIOError:
                pass
except OSError:
    pass
print("held:", "much" if held > 5 * 10**8 else "little")
for each in kept:
    each.close()
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "sockets-full-of-bytes" / "lab" / "lab.ipynb"
    return "held: much" in notebook.read_text(encoding="utf-8")
