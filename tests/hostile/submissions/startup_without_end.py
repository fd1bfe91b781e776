"""Settings of IPython beside the notebook that never come to an end: the kernel does not answer.

nbgrader's kernels have the instructor's home; kept because in the sandbox the two are one.
"""

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 0.0}
STATUS = "failed"
FLAG = "Not graded"


def hand_in(folder, cells, notebook):
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "first.py").write_text("while True:\n    pass")
    return notebook
