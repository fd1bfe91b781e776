"""Which kernel a lab runs in: what its gradebook says, and whether it is installed here."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from nbformat import NotebookNode

_PYTHON = ("", "python")
_PYTHONS = {"python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info)}
_NAME = re.compile(r"[a-z0-9._-]+", re.IGNORECASE)  # as Jupyter allows them


def of_lab(stored: str | None) -> NotebookNode | None:
    """The kernelspec of a lab's notebook, whole enough to be put into another notebook.

    nbgrader stores whatever the instructor's notebook had. That may be nothing ("{}"), and any part
    of it may be missing.

    Args:
        stored: the text in nbgrader's gradebook.

    Returns:
        None if no kernel is named. It is run in Jupyter's own kernel of Python then, as nbgrader
        does; in no case does the submission choose.
    """
    try:
        known = json.loads(stored or "{}")
    except (ValueError, RecursionError):
        return None
    if not isinstance(known, dict):
        return None
    found = {
        key: known[key]
        for key in ("name", "display_name", "language")
        if isinstance(known.get(key), str) and known[key].strip()
    }
    language = found.get("language", "")
    if "name" not in found:
        if language.lower() in _PYTHON:
            return None
        found["name"] = _speaking(language) or language  # which is then reported as missing
    found.setdefault("display_name", found["name"])
    return NotebookNode(found)


def missing(masters: Mapping[str, NotebookNode], chosen: str = "") -> str | None:
    """Why notebooks of a lab cannot be run here, in a sentence with what to do; None if they can.

    Args:
        masters: the notebooks by name.
        chosen: a kernel that the course's configuration chooses for all of them.
    """
    for notebook, master in masters.items():
        spec = master.metadata.get("kernelspec", {})
        name = chosen or spec.get("name")
        if name and not _installed(name):
            return _sentence(notebook, name, "" if chosen else spec.get("language", ""))
    return None


def _installed(name: str) -> bool:
    try:
        spec: KernelSpec = KernelSpecManager().get_kernel_spec(name)
    except (NoSuchKernel, ValueError, OSError):  # ValueError: no kernel can have such a name
        return False
    # Jupyter starts a plain "python" as the Python that it runs in itself, whatever PATH holds.
    return bool(spec.argv) and (spec.argv[0] in _PYTHONS or shutil.which(spec.argv[0]) is not None)


def _speaking(language: str) -> str | None:
    """The first installed kernel of a language."""
    known = KernelSpecManager().get_all_specs()
    for name in sorted(known):
        if str(known[name]["spec"].get("language", "")).lower() == language.lower():
            return name
    return None


def _sentence(notebook: str, name: str, language: str) -> str:
    installed = ", ".join(sorted(KernelSpecManager().find_kernel_specs()))
    sentence = (
        f"the notebook '{notebook}' runs in the kernel {name!r}, which is not installed here; "
        f"there are: {installed}. "
    )
    if language.lower() not in _PYTHON:
        sentence += f"Install a kernel for {language}"
    elif _NAME.fullmatch(name):
        sentence += f"Install it: python -m ipykernel install --sys-prefix --name {name}"
    else:
        sentence += "No kernel can have such a name"
    return (
        f"{sentence}. Or choose another kernel in the notebook in source/, save it, and run "
        "nbgrader generate_assignment again"
    )
