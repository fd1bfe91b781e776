"""The modules of labkit that a lab asks students to write: inside, they can be imported, not used.

A lab names them in its notebook's metadata, under `labkit.withheld`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import labkit
from labkit.errors import InputError

_COVER = '''"""{module} is withheld in this lab."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def withheld(*args, **kwargs):
        raise ImportError(f"{module}.{{name}} is yours to write in this lab")

    return withheld
'''


def covers(modules: Iterable[str], folder: Path) -> dict[Path, Path]:
    """For each withheld module the file that takes its place; for its bytecode, an empty folder.

    Raises:
        InputError: labkit has no such module.
    """
    found = {}
    (empty := folder / "no-bytecode").mkdir()
    for module in modules:
        file = Path(labkit.__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
        if not module.startswith("labkit.") or not file.is_file():
            raise InputError(f"the lab withholds {module}, which is no module file of labkit")
        found[file] = folder / f"withheld-{module}.py"
        found[file].write_text(_COVER.format(module=module), encoding="utf-8")
        if (compiled := file.parent / "__pycache__").is_dir():
            found[compiled] = empty
    return found
