"""Takes 2.2 GB of memory, in three child processes and a memfd besides its own, so that a limit on a single process's address space is not reached."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _hog():
    import os, time
    pids = []
    done_r, done_w = os.pipe()
    for i in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                hold = bytearray(b"x") * (500 << 20)
                os.write(done_w, b"+")
                time.sleep(1.5)
            finally:
                os._exit(0)
        pids.append(pid)
    os.close(done_w)
    fd = os.memfd_create("hog")
    block, written = b"y" * (1 << 20), 0
    try:
        for i in range(700):
            written += os.write(fd, block)
    except OSError:
        pass
    full = 0
    while os.read(done_r, 1):
        full += 1
    for pid in pids:
        os.waitpid(pid, 0)
    print("HOGGED", full, written >> 20)
    os.close(fd)
_hog()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    import re

    for path in (course / "autograded").rglob("*.ipynb"):
        for full, written in re.findall(r"HOGGED (\d+) (\d+)", path.read_text()):
            if int(full) * 500 + int(written) >= 2000:
                return True
    return False
