"""The system calls that code in the sandbox cannot make, as a filter for Linux's seccomp.

bubblewrap takes the whole system-call interface for granted; a kernel of a student's needs a part
of it. The filter refuses new namespaces and mounts (the way to memory that nobody counts), sockets
of other families than those of files and of IP, and interfaces that no lab needs and that kernels
of Linux have often had holes in. A refused call fails with an error, as one that the system lacks
would.

The filter is a program for the kernel's classic BPF machine; see `man 2 seccomp` and
linux/filter.h. It is written here, in forty lines, because libseccomp is not on every system.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

# Offsets in `struct seccomp_data`: the call's number, the machine, and the low halves of arguments.
_NUMBER, _MACHINE = 0, 4
_FIRST, _THIRD = 16, 32
_LOAD, _RETURN = 0x20, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_X32 = 0x40000000  # a second numbering of the same calls on x86_64
_FAMILIES = (1, 2, 10)  # unix, inet, inet6
_NETLINK, _ROUTE = 16, 0  # reading the list of interfaces, as getaddrinfo() does
# mount, cgroup, host name, ipc, user, process, network
_NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x70000000
_NEW_TIME = 0x80  # of `unshare` alone: in `clone` these bits are a signal


class _Calls(NamedTuple):
    """What differs from machine to machine."""

    audit: int  # AUDIT_ARCH of linux/audit.h
    clone: int
    unshare: int
    socket: int
    socketpair: int
    refused: tuple[int, ...]


# Numbers that all machines share: io_uring, mounting by descriptors, secret memory, ...
_REFUSED_EVERYWHERE = (
    *(425, 426, 427),  # io_uring_setup, io_uring_enter, io_uring_register
    *(428, 429, 430, 431, 432, 433, 442),  # open_tree ... fspick, mount_setattr
    447,  # memfd_secret
)
_CLONE3 = 435  # its flags lie in memory, where a filter cannot look; glibc falls back to `clone`
_MACHINES = {
    "x86_64": _Calls(
        0xC000003E,
        clone=56,
        unshare=272,
        socket=41,
        socketpair=53,
        refused=(
            *(29, 64, 68),  # shmget, semget, msgget: memory that belongs to no process
            *(155, 165, 166, 308),  # pivot_root, mount, umount2, setns
            *(248, 249, 250),  # add_key, request_key, keyctl
            *(298, 321, 323),  # perf_event_open, bpf, userfaultfd
        ),
    ),
    "aarch64": _Calls(
        0xC00000B7,
        clone=220,
        unshare=97,
        socket=198,
        socketpair=199,
        refused=(
            *(194, 190, 186),
            *(41, 40, 39, 268),
            *(217, 218, 219),
            *(241, 280, 282),
        ),
    ),
}


def program() -> bytes | None:
    """The filter of this machine, as an array of `struct sock_filter`; None if it has none."""
    calls = _MACHINES.get(os.uname().machine) if sys.platform == "linux" else None
    if calls is None:
        return None
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _instructions(calls))


def _instructions(calls: _Calls) -> Iterator[tuple[int, int, int, int]]:
    """Each is (operation, instructions to skip if true, if false, operand)."""
    yield _LOAD, 0, 0, _MACHINE
    yield _EQUAL, 1, 0, calls.audit
    yield from _refuse(errno.ENOSYS)  # 32-bit calls on a 64-bit machine
    yield _LOAD, 0, 0, _NUMBER
    yield _AT_LEAST, 0, 1, _X32
    yield from _refuse(errno.ENOSYS)
    for number in (*calls.refused, *_REFUSED_EVERYWHERE):
        yield from _where(number, list(_refuse(errno.EPERM)))
    yield from _where(_CLONE3, list(_refuse(errno.ENOSYS)))
    yield from _where(calls.clone, list(_refuse_flags(_NEW_NAMESPACES)))
    yield from _where(calls.unshare, list(_refuse_flags(_NEW_NAMESPACES | _NEW_TIME)))
    for number in (calls.socket, calls.socketpair):
        yield from _where(number, list(_only_known_families()))
    yield _RETURN, 0, 0, _ALLOW


def _where(number: int, block: list[tuple[int, int, int, int]]) -> Iterator[tuple]:
    """A block of instructions for one call; it must end in a return."""
    yield _EQUAL, 0, len(block), number
    yield from block


def _refuse(error: int) -> Iterator[tuple[int, int, int, int]]:
    yield _RETURN, 0, 0, _ERROR | error


def _refuse_flags(flags: int) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _FIRST
    yield _ANY_BIT, 0, 1, flags
    yield from _refuse(errno.EPERM)
    yield _RETURN, 0, 0, _ALLOW


def _only_known_families() -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _FIRST
    for family in _FAMILIES:
        yield _EQUAL, 0, 1, family
        yield _RETURN, 0, 0, _ALLOW
    yield _EQUAL, 0, 3, _NETLINK
    yield _LOAD, 0, 0, _THIRD
    yield _EQUAL, 0, 1, _ROUTE
    yield _RETURN, 0, 0, _ALLOW
    yield from _refuse(errno.EAFNOSUPPORT)
