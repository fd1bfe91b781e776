"""Asks how much it could write: a full disk, or memory full of files, stops the whole machine."""

STOCK = "harm"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
import os

devices = {}
for line in open("/proc/mounts"):
    folder = line.split()[1]
    if folder.startswith(("/proc", "/sys")) or not os.path.isdir(folder):
        continue
    try:
        with open(os.path.join(folder, ".probe"), "wb") as file:
            file.write(b"x")
        os.remove(file.name)
    except OSError:
        continue
    status = os.statvfs(folder)
    devices[os.stat(folder).st_dev] = status.f_bavail * status.f_frsize
print("room:" + " much" * (sum(devices.values()) > 5 << 30), devices)
"""
    return notebook


def harmed(course):
    notebook = course / "autograded" / "room-on-the-disk" / "lab" / "lab.ipynb"
    return "room: much" in notebook.read_text(encoding="utf-8")
