"""Answers with a sequence whose length changes with every question and whose items are the sequence itself, two at each level: numpy unfolds it 64 levels deep, two to the sixty-fourth items, each of them a question."""

STOCK = "nothing"  # numpy gives up on the changing lengths in the kernel; a judge pays for each question
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = """
class _Fold(object):
    asked = 0
    def __len__(self):
        _Fold.asked += 1
        return 2 if _Fold.asked < 50_000 else 3
    def __getitem__(self, i):
        return _Fold()
    def __iter__(self):
        yield self
        yield self
def double(x):
    return 2 * x if isinstance(x, int) else _Fold()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = CODE
    cells["mean"].source = "def mean(x):\n    return x.mean() if x.ndim == 1 else [_Fold()] * 1000"
    return notebook
