"""Settings of IPython beside the notebook, which are read when a kernel's home is its folder.

nbgrader's kernels have the instructor's home; kept because in the sandbox the two are one.
"""

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "first.py").write_text("""
import ast

class Blank(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

get_ipython().ast_transformers.append(Blank())
""")
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
