"""Floods the smaller channels for two seconds: asks for a password which nobody types, says that it was shut down, is restarting and is dead, a hundred thousand times, and works on."""

STOCK = "nothing"  # a reader who believes it would start another kernel, or wait for a person
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _asks():
    import time
    kernel = get_ipython().kernel
    session, parent = kernel.session, kernel.get_parent()
    ident = kernel._parent_ident["shell"] if isinstance(kernel._parent_ident, dict) else kernel._parent_ident
    stdin = getattr(kernel.stdin_socket, "socket", kernel.stdin_socket)
    control = getattr(kernel.control_stream, "socket", kernel.control_stream)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        session.send(stdin, "input_request", {"prompt": "Password of the gradebook: ", "password": True}, parent=parent, ident=ident)
        session.send(control, "shutdown_reply", {"status": "ok", "restart": True}, parent=parent, ident=ident)
        session.send(kernel.iopub_socket, "status", {"execution_state": "restarting"}, parent=parent, ident=b"status")
        session.send(kernel.iopub_socket, "status", {"execution_state": "dead"}, parent=parent, ident=b"status")
_asks()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
