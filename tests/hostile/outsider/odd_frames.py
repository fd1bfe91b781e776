"""Sends pieces that are no messages on all its channels: empty, without the mark between address and message, with the mark seven times, with wrong signatures, and of three thousand parts."""

STOCK = (
    "nothing"  # of its kernel; kept for a reader of our own, which must not end with a bad piece
)
MARKS = {"test-double": 1.0, "test-mean": 2.0}

CODE = r"""
def _frames():
    import zmq
    kernel = get_ipython().kernel
    ident = kernel._parent_ident["shell"] if isinstance(kernel._parent_ident, dict) else kernel._parent_ident
    ident = list(ident) if isinstance(ident, (list, tuple)) else [ident]
    shell = getattr(kernel.shell_stream, "socket", kernel.shell_stream)
    control = getattr(kernel.control_stream, "socket", kernel.control_stream)
    shapes = [[b""], [b"x"] * 5, [b"<IDS|MSG>"], [b"<IDS|MSG>"] * 7, [b"<IDS|MSG>", b"0" * 64, b"{}", b"{}", b"{}", b"{}"],
              [b"<IDS|MSG>", b"\xff", b"{}"], [b"\x00" * 1000] * 3000, [b"<IDS|MSG>", b"", b"{}", b"{}", b"{}", b"{}"] + [b""] * 3000,
              [b"a" * 300, b"<IDS|MSG>"] * 20]
    for shape in shapes * 20:
        kernel.iopub_thread.send_multipart(list(shape))
        for socket in (shell, control, kernel.stdin_socket):
            try:
                socket.send_multipart([*ident, *shape], zmq.DONTWAIT)
            except Exception:
                pass
_frames()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = CODE
    return notebook
