"""An object that says yes to every comparison."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
class Yes:
    __eq__ = __ge__ = __le__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __float__ = lambda self: 3.0
    __array_ufunc__ = lambda self, *args, **kwargs: True
    __array_function__ = lambda self, *args, **kwargs: True
    __hash__ = None

def double(x):
    return Yes()
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
