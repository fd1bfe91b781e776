"""Sends messages on all its channels which nobody asked for: of 30 MB that become nine million lists when they are read, and of 120 MB."""

STOCK = "ours only"  # it reads them all there, which takes the memory and the time that it takes
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _giants():
    import zmq
    kernel = get_ipython().kernel
    session, parent = kernel.session, kernel.get_parent()
    ident = kernel._parent_ident["shell"] if isinstance(kernel._parent_ident, dict) else kernel._parent_ident
    dense = b"[" + b"[]," * 9_000_000 + b"[]]"
    for size, body in ((30, dense), (120, b'"' + b"x" * (120 << 20) + b'"')):
        for kind, socket in (("execute_reply", kernel.shell_stream), ("shutdown_reply", kernel.control_stream), ("input_request", kernel.stdin_socket)):
            socket = getattr(socket, "socket", socket)
            try:
                session.send(socket, kind, b'{"status": "ok", "more": ' + body + b"}", parent=parent, ident=ident)
            except Exception as error:
                print(type(error))
        for i in range(3):
            session.send(kernel.iopub_socket, "status", b'{"execution_state": "busy", "more": ' + body + b"}", parent=parent, ident=b"status")
_giants()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
