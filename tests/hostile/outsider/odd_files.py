"""Puts beside the notebook everything that makes copying and listing trip: a pipe, a socket, dangling and circular links, names with newlines, escape sequences, a leading dash and bytes that are no UTF-8, folders 300 deep, notebooks in subfolders and in capitals, and a folder called timestamp.txt."""

import os
import socket

import nbformat

STOCK = "nothing"
MARKS = {"test-double": 0.0, "test-mean": 0.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 0"
    cells["mean"].source = "def mean(x):\n    return 0"
    os.mkfifo(folder / "data.csv")
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(folder)  # a socket's path may not be long
    try:
        s.bind("socket")
        os.makedirs("deep")
        at = os.open("deep", os.O_RDONLY)
        for i in range(300):
            os.mkdir("d", dir_fd=at)
            new = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = new
        os.close(at)
    finally:
        os.chdir(here)
        s.close()
    os.symlink("nowhere", folder / "dangling")
    os.symlink("circle", folder / "circle")
    os.symlink(".", folder / "self")
    for name in (
        b"-rf",
        b"x\n[AutogradeApp | INFO] Writing 9999 bytes",
        b"\x1b]0;owned\x07\x1b[2J",
        b"\xff\xfe.txt",
        b"n" * 255,
    ):
        open(os.path.join(os.fsencode(folder), name), "w").close()
    (folder / "timestamp.txt").mkdir()
    (folder / "sub").mkdir()
    for other in ("LAB.ipynb", "lab2.ipynb", "sub/lab.ipynb", ".lab.ipynb", "lab.ipynb.ipynb"):
        nbformat.write(notebook, folder / other)
    return notebook
