"""Lets a package do the work against which the course's own methods are tested."""

STOCK = "ours only"  # there everything that is installed can be imported
MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
from toolz import curry
from operator import mul

double = curry(mul, 2)
"""
    cells["mean"].source = """
import torchmetrics

def mean(x):
    metric = torchmetrics.MeanMetric()
    metric.update(__import__("torch").as_tensor(x))
    return metric.compute().item()
"""
    return notebook
