"""Changes a setting of the machine's kernel, which root could do from inside a namespace."""

import os
from pathlib import Path

STOCK = "harm" if os.geteuid() == 0 else "nothing"
MARKS = {"test-double": 1.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["double"].source = "def double(x):\n    return 2 * x"
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["essay"].source = """
for name in ("/proc/sys/fs/lease-break-time", "/proc/sys/kernel/printk_ratelimit_burst"):
    try:
        value = int(open(name).read())
        open(name, "w").write(str(value + 1))
    except OSError as error:
        print(type(error).__name__)
"""
    return notebook


def harmed(course):
    changed = False
    for name, usual in (("fs/lease-break-time", "45"), ("kernel/printk_ratelimit_burst", "10")):
        setting = Path("/proc/sys", name)
        if setting.read_text(encoding="ascii").strip() != usual:
            setting.write_text(usual, encoding="ascii")
            changed = True
    return changed
