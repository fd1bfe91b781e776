"""Opens sockets that lead out of a network namespace, to the machine's hypervisor and its radio."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import socket

opened = []
for family in (socket.AF_VSOCK, socket.AF_PACKET, socket.AF_NETLINK, 31, 38, 44):
    for protocol in (0, 9, 3):
        try:
            socket.socket(family, socket.SOCK_DGRAM, protocol).close()
            opened.append((int(family), protocol))
        except OSError:
            pass
print("opened:", [each for each in opened if each != (16, 0)])
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "other-families" / "lab" / "lab.ipynb"
    return "opened: [(" in notebook.read_text(encoding="utf-8")
