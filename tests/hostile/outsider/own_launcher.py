"""Puts its own ipykernel_launcher.py, sitecustomize.py and usercustomize.py beside the notebook: "python -m ipykernel_launcher" looks in the working folder first, so the kernel itself is the student's, and it reports success for every cell."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 0.0}

LAUNCHER = """
import sys
from IPython.core.interactiveshell import InteractiveShell
real = InteractiveShell.run_cell_async
async def run_cell_async(self, raw_cell, *a, **k):
    return await real(self, "" if "assert" in raw_cell else raw_cell, *a, **k)
InteractiveShell.run_cell_async = run_cell_async
if __name__ == "__main__":
    from ipykernel import kernelapp
    kernelapp.launch_new_instance()
"""


def hand_in(folder, cells, notebook):
    for name in ("ipykernel_launcher.py", "sitecustomize.py", "usercustomize.py"):
        (folder / name).write_text(LAUNCHER)
    cells["double"].source = "def double(x):\n    return 0"
    cells["mean"].source = "def mean(x):\n    return 0"
    return notebook
