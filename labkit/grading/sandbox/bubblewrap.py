"""The command that runs a program in the sandbox.

bubblewrap (https://github.com/containers/bubblewrap) makes it: new namespaces, and a file system
that holds the operating system's programs and libraries, Python with its packages, and labkit, all
read-only, with a few folders in memory to write to. `prlimit` bounds each process.

Whoever is root outside would be root in all that Linux does not separate: kernel settings, device
nodes. So where root grades, two commands come before that: one shows the same files in a file
system of their own, in which a path through root's folders can be followed, and one becomes a user
without any rights. From there on the sandbox is that of an ordinary user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from labkit.grading.sandbox import packages
from labkit.grading.sandbox.limits import Limits

HOME = "/home/student"
SOCKETS = "/run/kernel"
NOBODY = 65534  # a user of the host to whom nothing belongs
# What a program needs of the operating system. Of /etc only what names libraries and fonts.
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
# Variables that may cross; everything else, tokens and addresses among it, stays outside.
_ENVIRONMENT = (
    "LABKIT_PRESET",
    "LANG",
    "LC_ALL",
    "NBGRADER_EXECUTION",
    "NBGRADER_VALIDATING",
    "OMP_NUM_THREADS",
    "PYTHONPATH",
)
_LIBRARIES = 4 << 30  # bytes of address space that torch reserves and does not use
_ROOM_FOR_SOCKETS = 1 << 20
_PROGRAMS = {"bwrap": "bubblewrap", "prlimit": "util-linux", "setpriv": "util-linux"}


def why_not() -> str | None:
    """Why there is no sandbox on this machine, in a sentence with what to do; None if there is."""
    if not sys.platform.startswith("linux"):
        return "submissions run in a sandbox on Linux only: grade in a virtual machine or container"
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            return f"{program} is missing: sudo apt-get install {package}"
    return _probed(_is_root())


def options() -> list[str]:
    """What a demonstration adds to nbgrader's command where there is no sandbox."""
    return [] if why_not() is None else ["--Execute.sandbox=none"]


def command(
    program: Sequence[str],
    *,
    variables: Mapping[str, str],
    limits: Limits,
    shown: Sequence[str] = (),
    covers: Mapping[Path, Path] | None = None,
    seccomp: int | None = None,
    hides_settings: bool = True,
) -> list[str]:
    """A command that runs a program in the sandbox.

    Args:
        program: what runs inside, its paths as they are inside.
        variables: the environment inside.
        limits: of every process inside.
        shown: bubblewrap's arguments that show files beside the system's.
        covers: files and folders that are not to be seen, each with what lies in its place.
        seccomp: a descriptor from which the filter of system calls can be read.
        hides_settings: show the kernel's settings read-only; False where `/proc` is to be mounted
            again inside, which Linux allows only where nothing covers a part of it.
    """
    words = [
        "--unshare-all",  # user, process, network, ipc, host name and cgroup namespaces
        "--die-with-parent",
        "--new-session",  # no controlling terminal to type into
        *("--cap-drop", "ALL"),
        *("--uid", "1000", "--gid", "1000"),
        *("--proc", "/proc", "--dev", "/dev"),
        *(("--ro-bind", "/proc/sys", "/proc/sys") if hides_settings else ()),
        *(word for place, size in in_memory(limits).items() for word in _in_memory(place, size)),
        *_read_only(map(Path, _SYSTEM)),
        *_read_only(packages.shown()),
        *_covered(covers or {}),
        *shown,
        *("--remount-ro", "/dev", "--remount-ro", "/"),  # their room is not limited
        *("--chdir", HOME),
        "--clearenv",
        *(word for name, value in variables.items() for word in ("--setenv", name, value)),
        *(() if seccomp is None else ("--seccomp", str(seccomp))),
        "--",
    ]
    bounds = [
        "prlimit",
        f"--as={limits.memory + _LIBRARIES}",
        f"--fsize={limits.file}",
        f"--nproc={limits.processes}",
        f"--nofile={limits.descriptors}",
        "--core=0",
        "--",
    ]
    before = _as_nobody(words) if _is_root() else []
    return [*before, _path("bwrap"), *words, *bounds, *program]


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a kernel: of the instructor's, only what is known crosses."""
    known = {name: environment[name] for name in _ENVIRONMENT if name in environment}
    return {
        **known,
        **packages.variables(),
        "HOME": HOME,
        "PWD": HOME,
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",
        "USER": "student",
    }


def in_memory(limits: Limits) -> dict[str, int]:
    """What can be written inside, and how many bytes each holds."""
    return {
        "/dev/shm": limits.scratch,
        "/tmp": limits.scratch,
        HOME: limits.scratch,
        SOCKETS: _ROOM_FOR_SOCKETS,
    }


def make_readable(folder: Path) -> None:
    """Let whoever runs inside read a private folder, into which no one else can look."""
    if _is_root():
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def _is_root() -> bool:
    return os.geteuid() == 0


def _path(program: str) -> str:
    return shutil.which(program) or program


def _as_nobody(words: Sequence[str]) -> list[str]:
    """What root puts in front of bubblewrap and its arguments, to run it without any rights."""
    sources = [
        Path(words[place + 1])
        for place, word in enumerate(words)
        if word in ("--ro-bind", "--ro-bind-try")
    ]
    seen = [path for path in dict.fromkeys(sources) if not path.is_relative_to("/proc")]
    folders = {parent for path in seen for parent in path.parents} - {Path("/"), Path("/tmp")}
    return [
        _path("bwrap"),
        "--die-with-parent",
        *("--cap-drop", "ALL"),
        *(
            word
            for name in ("SETUID", "SETGID", "SETPCAP")
            for word in ("--cap-add", f"CAP_{name}")
        ),
        *("--perms", "1777", "--tmpfs", "/tmp"),
        *(word for path in sorted(folders) for word in ("--perms", "0755", "--dir", str(path))),
        *_read_only(map(Path, _SYSTEM)),
        *_read_only(seen),
        *("--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"),
        "--",
        _path("setpriv"),
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--pdeathsig=KILL",  # which the change of the user has taken away
        "--",
    ]


def _in_memory(path: str, size: int) -> list[str]:
    return ["--size", str(size), "--tmpfs", path]


def _read_only(paths: Iterable[Path]) -> Iterator[str]:
    """Arguments that show files and folders where they are."""
    for path in paths:
        if path.is_symlink() and path.resolve().is_relative_to(path.parent.resolve()):
            # As lib64 beside lib: shown twice, what is covered in one could be read in the other.
            yield from ("--symlink", str(path.readlink()), str(path))
        else:
            yield from ("--ro-bind-try", str(path), str(path))


def _covered(covers: Mapping[Path, Path]) -> Iterator[str]:
    """Arguments that lay a cover over files and folders."""
    for path, cover in covers.items():
        yield from ("--ro-bind", str(cover), str(path))


@cache
def _probed(root: bool) -> str | None:
    """Why the sandbox's own command does not work; what it is asked for is asked of it as it is."""
    probe = command(
        [sys.executable, "-I", "-S", "-c", ""],
        variables=variables({}),
        limits=Limits(),
    )
    try:
        done = subprocess.run(
            probe, capture_output=True, text=True, errors="replace", check=False, timeout=60, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not work here ({type(error).__name__}): try `labkit doctor`"
    if done.returncode == 0:
        return None
    said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return f"bubblewrap cannot make a sandbox here ({said}): {_remedy(said)}"


def _remedy(said: str) -> str:
    """What to do where bubblewrap fails with a complaint."""
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor keeps programs from making user namespaces. Allow bubblewrap to: "
            "docs/instructors.md has the profile, five lines in /etc/apparmor.d/bwrap"
        )
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if (most := _setting("user/max_user_namespaces")) and int(most) < 1000:
        return f"allow more than {most} of them: sudo sysctl -w user.max_user_namespaces=10000"
    if "execvp" in said or "find source path" in said:
        return (
            f"any user must be able to read {sys.prefix} and {sys.base_prefix}: "
            f"chmod -R go+rX {sys.prefix}"
        )
    if any(Path(name).exists() for name in ("/.dockerenv", "/run/.containerenv")):
        return (
            "a container does not let it: start it with --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --security-opt systempaths=unconfined, or grade "
            "outside of it"
        )
    return "allow unprivileged user namespaces, or grade on a machine that does"


def _setting(name: str) -> str | None:
    """A setting of the kernel; None where there is no such one."""
    try:
        return Path("/proc/sys", name).read_text("ascii").strip()
    except OSError:
        return None
