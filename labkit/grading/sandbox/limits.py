"""How much a submission may use."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def _processes() -> int:
    """Room for a kernel's own dozen, and for a few pools of as many threads as processors."""
    return 64 + 8 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Limits:
    """What a submission may use at most.

    Args:
        memory: bytes of all its processes together, the files that it keeps in memory included
            where control groups count them. The address space of each process is limited to 4 GB
            more, which importing torch takes.
        file: bytes of the largest file it may write.
        processes: processes and threads together. Many that compute take the processors from
            others where there are no control groups.
        descriptors: files and sockets that a process may have open; the buffers of a socket hold
            some 200 kB that belong to no process.
        scratch: bytes that its files may take in each of three folders, in memory.
        files: that it may have in each of these folders.
    """

    memory: int = 4 << 30
    file: int = 1 << 30
    processes: int = field(default_factory=_processes)
    descriptors: int = 1024
    scratch: int = 1 << 30
    files: int = 100_000
