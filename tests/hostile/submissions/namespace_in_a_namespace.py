"""Makes namespaces of its own, in which it may mount as much memory as it likes."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
uid = os.getuid()
child = os.fork()  # a process of several threads may not
if child == 0:
    try:
        made = libc.unshare(0x10000000 | 0x20000) == 0
        open("/proc/self/setgroups", "w").write("deny")
        open("/proc/self/uid_map", "w").write(f"0 {uid} 1")
        made = made and libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"size=20g") == 0
    finally:
        os._exit(0 if made else 1)
print("made: " + "a room of its own" * (os.waitpid(child, 0)[1] == 0))
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "namespace-in-a-namespace" / "lab" / "lab.ipynb"
    return "made: a room of its own" in notebook.read_text(encoding="utf-8")
