"""A process that runs and judges notebooks, one after another, for the one that writes the marks.

Started by `workers` as `python -m labkit.grading.worker`. Tasks come in on standard input, a line
each; out go a line for each cell that is done, and one with the result.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import TextIO

from labkit.grading.judge.runner import perform
from labkit.grading.sandbox import prefork
from labkit.grading.task import Task

CELL_DONE = "cell"
_MEMORY = 4 << 30  # bytes of address space


def main() -> None:
    """Serve until standard input ends; a notebook that is being run then is given up at once."""
    _limit_memory()
    incoming = os.fdopen(os.dup(0), encoding="utf-8")
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a descriptor, not a file)
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)

    def say(line: str) -> None:
        outgoing.write(line + "\n")
        outgoing.flush()

    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_read, args=(incoming, tasks, busy), daemon=True).start()
    while line := tasks.get():
        busy.set()
        say(perform(Task.from_json(line), lambda: say(CELL_DONE)).to_json())
        busy.clear()


def _read(incoming: TextIO, tasks: queue.SimpleQueue[str], busy: threading.Event) -> None:
    """Pass on the tasks; an empty text at the end."""
    for line in incoming:
        tasks.put(line)
    if busy.is_set():  # whoever wanted the result is gone: the sandbox ends with this process
        prefork.close()
        os._exit(1)
    tasks.put("")


def _limit_memory() -> None:
    """What a submission says is read here: whatever it says, the machine stays usable.

    The soft limit only, so that the processes started from here can have their own.
    """
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))


if __name__ == "__main__":
    main()
