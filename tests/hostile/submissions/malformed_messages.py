"""Sends what is no message, with a wrong signature, while a test is judged."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["double"].source = """
def double(x):
    socket = get_ipython().kernel.iopub_socket
    signed = [b"", b"<IDS|MSG>", b"wrong", b"{}", b"{}", b"{}", b"{}"]
    for frames in ([b"x"], signed, [b"<IDS|MSG>"]):
        socket.send_multipart(frames)
    return x
"""
    return notebook
