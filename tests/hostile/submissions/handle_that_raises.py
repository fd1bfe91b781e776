"""An object that raises something new at every touch.

nbgrader gives 0 for it, too; kept because the judge touches it from outside.
"""

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["mean"].source = "def mean(x):\n    raise Thorn"
    cells["double"].source = """
class Thorn(Exception):
    def __str__(self):
        raise self

class Touchy:
    def __getattribute__(self, name):
        raise Thorn(name)

    __len__ = __iter__ = __getitem__ = __call__ = __repr__ = __eq__ = __bool__ = __hash__ = None

def double(x):
    return Touchy()

def raiser(x):
    raise Thorn

class Late:
    mean = property(raiser)
"""
    return notebook
