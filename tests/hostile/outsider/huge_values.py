"""Returns values that are small here and boundless elsewhere: arrays of 2**50 elements without memory (stride 0), lists which contain themselves or are nested 100000 deep, integers of a million digits, objects whose repr never ends. Whoever copies, stores or prints them hangs or dies."""

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = r"""
class _Endless:
    def __repr__(self):
        import time
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass
    __str__ = __format__ = __reduce_ex__ = lambda self, *a: self.__repr__()
    def __iter__(self):
        while True:
            yield self
    def __len__(self): return 1 << 60
    def __eq__(self, other): return False
    __hash__ = None
def double(x):
    if isinstance(x, int) and x == 3:
        return np.broadcast_to(np.float64(6), (1 << 50,))
    if isinstance(x, int):
        deep = []
        for i in range(100000):
            deep = [deep]
        return deep
    loop = []
    loop += [loop, _Endless()]
    return loop
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 0"
    cells["mean"].source = "def mean(x):\n    return 0"
    cells["double"].source = CODE
    cells[
        "mean"
    ].source = "def mean(x):\n    return 10 ** 1000000 if x.ndim == 2 else _Endless() if x.sum() > 3 else np.broadcast_to(np.float64(1), (1 << 50,))"
    return notebook
