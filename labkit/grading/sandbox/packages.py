"""What of the Python environment is to be seen in the sandbox.

An environment holds more than a lab needs: the referees that a lab's methods are tested against,
the instructor's tools, and where somebody made it in the course folder, the course. Of an
environment's folder only those that Python itself uses are shown. Of the installed packages a lab
can be held to those that it names and those that labkit needs, with all that these require; the
others are covered, so that importing one says so.
"""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import labkit

# What a kernel needs whatever the lab imports, and labkit with what its modules use if it is there.
_ALWAYS = ("ipykernel", "matplotlib-inline", "pip", "setuptools", "labkit[imagenet]")
# Of the folder of an environment, as `venv`, conda and Python's own installer lay it out.
_PARTS = ("bin", "lib", "lib32", "lib64", "libexec", "share", "etc", "ssl", "pyvenv.cfg")
_COVER = (
    'raise ModuleNotFoundError("No module named " + repr(__name__) + ": it is not among the '
    'packages of this lab", name=__name__)\n'
)


@dataclass(frozen=True)
class Wanted:
    """The packages that a lab needs.

    Args:
        names: as pip knows them.
        modules: whose packages are wanted, too.
    """

    names: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


def shown() -> list[Path]:
    """Where Python, its packages and labkit are."""
    prefixes = [Path(prefix) for prefix in dict.fromkeys((sys.base_prefix, sys.prefix))]
    parts = [prefix / part for prefix in prefixes for part in _PARTS]
    return [*(part for part in parts if part.exists()), *_user_site(), Path(labkit.__file__).parent]


def variables() -> dict[str, str]:
    """What Python inside has to be told to find the same packages."""
    return {"PYTHONUSERBASE": site.getuserbase()} if _user_site() else {}


def _user_site() -> list[Path]:
    """Packages that were installed with `pip install --user`, if this Python uses them."""
    folder = site.getusersitepackages()
    return [Path(folder)] if folder in sys.path else []


def covers(wanted: Wanted, folder: Path) -> dict[Path, Path]:
    """For each package that is not wanted, what is to lie in its place.

    Args:
        wanted: what is to be seen, with all that it requires and all that labkit needs.
        folder: in which the covers are made.
    """
    module, package, nothing = folder / "module.py", folder / "package", folder / "nothing"
    for made in (package, nothing):
        made.mkdir()
    for file in (module, package / "__init__.py"):
        file.write_text(_COVER, encoding="utf-8")
    found = {}
    for path in _unwanted(wanted):
        if not path.is_dir():
            found[path] = module
        else:  # a folder that is no package must not look like one
            found[path] = package if path.name.isidentifier() else nothing
    return found


def _unwanted(wanted: Wanted) -> Iterator[Path]:
    """Modules, packages and their metadata in the folders of installed packages."""
    places = _site_folders()
    installed: dict[str, _Installed] = {
        canonicalize_name(one.name): _Installed(one)
        for one in metadata.distributions(path=list(map(str, places)))
        if one.name
    }
    tops = {name.partition(".")[0] for name in wanted.modules}
    roots = [*_ALWAYS, *wanted.names]
    roots += [name for name, one in installed.items() if one.modules() & tops]
    needed = {path for one in _required(roots, installed) for path in one.entries}
    for place in places:
        for path in sorted(place.iterdir()):
            # Of no package: bytecode, and paths that Python reads when it starts.
            if path.name != "__pycache__" and path.suffix != ".pth" and path not in needed:
                yield path
    yield from _unused_site_folders()


class _Installed:
    """An installed package: what it requires, and where it lies."""

    def __init__(self, distribution: metadata.Distribution) -> None:
        place = Path(str(distribution.locate_file("")))
        # The list that pip keeps, read as text: torch has 15,000 files.
        files = distribution.read_text("RECORD") or "\n".join(map(str, distribution.files or []))
        tops = {line.strip('"').split("/", 1)[0].split(",", 1)[0] for line in files.splitlines()}
        self.entries = {place / top for top in tops - {"..", ""}}
        if metadata_folder := getattr(distribution, "_path", None):
            self.entries.add(Path(metadata_folder))
        self._requires = distribution.requires or []

    def modules(self) -> set[str]:
        """The names under which its parts are imported."""
        return {path.name.partition(".")[0] for path in self.entries}

    def required(self, extras: Collection[str]) -> Iterator[Requirement]:
        """What it needs here, with some of its extras."""
        for line in self._requires:
            try:
                needed = Requirement(line)
            except InvalidRequirement:  # older than the rules for such lines
                continue
            asked = [{"extra": extra} for extra in ("", *extras)]
            if needed.marker is None or any(map(needed.marker.evaluate, asked)):
                yield needed


def _required(names: Sequence[str], installed: Mapping[str, _Installed]) -> Collection[_Installed]:
    """Packages, and all that they require."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        asked = waiting.pop()
        key = (canonicalize_name(asked.name), frozenset(asked.extras))
        if key not in seen and key[0] in installed:
            seen.add(key)
            waiting += installed[key[0]].required(asked.extras)
    return {installed[name] for name, _ in seen}


def _site_folders() -> list[Path]:
    """Where packages are installed, for all who use this Python."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *map(str, _user_site())}
    places |= {place for place in site.getsitepackages() if place in sys.path}
    return [Path(place) for place in sorted(places) if Path(place).is_dir()]


def _unused_site_folders() -> list[Path]:
    """Where packages are installed that this Python does not import, being in an environment."""
    base = {"base": sys.base_prefix, "platbase": sys.base_prefix}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = {
        sysconfig.get_path("purelib", vars=base),
        sysconfig.get_path("platlib", vars=base),
        "/usr/lib/python3/dist-packages",
        f"/usr/local/lib/{version}/dist-packages",
    }
    return [Path(place) for place in sorted(places - set(sys.path)) if Path(place).is_dir()]
