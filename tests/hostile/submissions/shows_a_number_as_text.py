"""Shows a thing whose text is no text: a notebook that holds such an output is invalid."""

STOCK = "gains"
MARKS = {"test-double": 0.0, "test-mean": 2.0}
RESUBMITTED = True  # honest work was handed in and graded before this


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["double"].source += """


get_ipython().display_pub.publish({"text/plain": "x", "application/x-mine": {"a": [1]}})
session = get_ipython().kernel.session
socket = get_ipython().kernel.iopub_socket
for kind, content in (
    ("error", {"ename": 5, "evalue": None, "traceback": [7]}),
    ("display_data", {"data": {"text/plain": 5}, "metadata": {}}),
):
    session.send(socket, kind, content, parent=get_ipython().get_parent())
"""
    return notebook
