"""Puts 900,000 dates into the header of one message: jupyter_client looks for dates in headers and reads each with dateutil, a minute and a half in which the reader hears no clock."""

STOCK = "ours only"  # there it takes half a minute, more or less as the machine goes
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _dates():
    kernel = get_ipython().kernel
    session, parent = kernel.session, kernel.get_parent()
    many = b'{"msg_id": "x", "msg_type": "status", "date": [' + b",".join([b'"2026-01-01T00:00:00.000000Z"'] * 900_000) + b"]}"
    parts = [many, session.pack(parent["header"]), b"{}", b'{"execution_state": "busy"}']
    for i in range(4):
        kernel.iopub_thread.send_multipart([b"status", b"<IDS|MSG>", session.sign(parts), *parts])
_dates()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
