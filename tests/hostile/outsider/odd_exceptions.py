"""Raises what cannot be raised again from a text: an ExceptionGroup, a UnicodeDecodeError, an exception whose text is made of half characters and escapes, one whose class lies about its bases, and one whose str never ends."""

STOCK = "nothing"  # whoever rebuilds an exception from its name and text meets constructors that want more
MARKS = {"test-double": 0.0, "test-mean": 0.0}

CODE = r"""
class _Meta(type):
    def __instancecheck__(cls, one): return True
    def mro(cls): return [cls, UnicodeTranslateError, ExceptionGroup.__mro__[1], Exception, BaseException, object] if False else type.mro(cls)
    __name__ = property(lambda cls: "AssertionError\x1b[2J")
class _Lying(UnicodeEncodeError, metaclass=_Meta):
    def __init__(self): pass
    def __str__(self): return "\ud83d \x1b]0;outsider\x07 \x00" * 5000
    __module__ = "unittest.case"
    __qualname__ = "SkipTest"
class _Endless(OSError):
    def __str__(self):
        while True:
            pass
    __repr__ = __str__
def double(x):
    raise _Lying()
"""
MEAN = r"""
def mean(x):
    if x.ndim > 1:
        raise _Endless()
    if x[0] == x[1]:
        return 1.0
    group = ExceptionGroup("all passed", [UnicodeDecodeError("utf8", b"\xff", 0, 1, "\ud800"), StopAsyncIteration(2.0)])
    group.__cause__ = group
    group.add_note("\ud800" * 1000)
    raise group
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = CODE
    cells["mean"].source = MEAN
    return notebook
