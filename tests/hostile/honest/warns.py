"""Right answers that warn, log and write to stderr, also from another program."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import logging, subprocess, sys, warnings

def double(x):
    warnings.warn("careful")
    logging.warning("logged")
    print("to stderr", file=sys.stderr)
    subprocess.run(["sh", "-c", "echo from a program >&2"])
    return 2 * x
"""
    cells["mean"].source = """
def mean(x):
    return x.mean()
"""
    return notebook
