"""Leaves fifty orphans (double fork, own session, signals ignored) which outlive the kernel, hold an abstract socket and 300 MB, and write a file once the kernel that made them is gone."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _breed():
    import os, signal, time
    kernel = os.getpid()
    places = [os.getcwd(), os.path.abspath(os.path.join("..", "..", ".."))]
    if os.fork():
        return
    os.setsid()
    for i in range(50):
        if os.fork() == 0:
            break
    else:
        os._exit(0)
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(0, 256):
        try:
            os.dup2(null, fd)
        except OSError:
            pass
    if i == 0:
        import socket
        hold = b"x" * (300 << 20)
        s = socket.socket(socket.AF_UNIX)
        try:
            s.bind("\0outsider-orphan"); s.listen(8)
        except OSError:
            pass
    end = time.time() + 60
    while time.time() < end:
        try:
            alive = open("/proc/%d/stat" % kernel).read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            alive = False
        if not alive:
            for place in places:
                try:
                    open(os.path.join(place, "orphan-%d.txt" % i), "w").write("the kernel is gone, I am not")
                except OSError:
                    pass
        time.sleep(0.3)
    os._exit(0)
_breed()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook


def harmed(course):
    import socket

    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect("\0outsider-orphan")
        return True
    except OSError:
        pass
    finally:
        s.close()
    return any(course.rglob("orphan-*.txt"))
