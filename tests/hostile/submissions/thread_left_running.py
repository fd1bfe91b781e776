"""A thread goes on after its cell and shows scores while the tests run."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = """
import threading, time

def show():
    kernel = get_ipython().kernel
    for _ in range(500):
        content = {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
        kernel.send_response(kernel.iopub_socket, "execute_result", content)
        time.sleep(0.02)

threading.Thread(target=show, daemon=True).start()

def double(x):
    time.sleep(0.3)
    return x
"""
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    return notebook
