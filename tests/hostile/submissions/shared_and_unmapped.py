"""Keeps two gigabytes of shared memory that no process has mapped, where no count of processes sees
them."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}
FLAG = "of memory"
GROUPS = True


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import mmap

kept = []
try:
    for _ in range(200):
        kept.append(mmap.mmap(-1, 10 << 20))
        kept[-1].write(b"x" * (10 << 20))
        kept[-1].madvise(mmap.MADV_DONTNEED)
except (OSError, MemoryError):
    pass
print("kept:" + " much" * (len(kept) > 180))
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "shared-and-unmapped" / "lab" / "lab.ipynb"
    return "kept: much" in notebook.read_text(encoding="utf-8")
