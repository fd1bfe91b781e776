"""Is stopped and continued five times a second by a child, interrupted each time, and goes on regardless: it neither ends nor runs nor stands still."""

STOCK = "nothing"  # the cell ends in a time-out, and the kernel is killed
MARKS = {"test-double": 1.0, "test-mean": 2.0}
SECONDS = 40

CODE = r"""
def _limp():
    import os, signal, time
    me = os.getpid()
    if os.fork() == 0:
        end = time.monotonic() + 25
        while time.monotonic() < end:
            os.kill(me, signal.SIGSTOP)
            time.sleep(0.2)
            os.kill(me, signal.SIGINT)
            os.kill(me, signal.SIGCONT)
            time.sleep(0.001)
        os._exit(0)
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
_limp()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
