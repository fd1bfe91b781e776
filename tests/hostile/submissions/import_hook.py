"""An import hook changes the text of labkit.checks on its way in, and survives a reload."""

STOCK = "gains"
MARKS = {"test-double": 1.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = """
import importlib, importlib.machinery, sys

loader = importlib.machinery.SourceFileLoader
read = loader.get_data

def changed(self, path):
    data = read(self, path)
    if path.endswith("checks.py"):
        data = data.replace(b"return round(self._points, 6)", b"return 2.0")
    return data

loader.get_data = changed
loader.path_stats = lambda self, path: (_ for _ in ()).throw(OSError)  # no bytecode
for name in [name for name in sys.modules if name.startswith("labkit")]:
    del sys.modules[name]
import labkit.checks

importlib.reload(labkit.checks)

def mean(x):
    return 1
"""
    return notebook
