"""Closes the socket on which it is asked, and goes on as if nothing were."""

STOCK = "nothing"  # its own cell ends in a time-out
MARKS = {"test-double": 1.0, "test-mean": 0.0}
FLAG = "The kernel was stopped early"
SECONDS = 40


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
from ipykernel.kernelapp import IPKernelApp

def mean(x):
    return x.mean()

IPKernelApp.instance().shell_socket.close(linger=0)
"""
    return notebook
