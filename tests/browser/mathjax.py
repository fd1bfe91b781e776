"""MathJax from Debian's package, in the place of the network's."""

import re
from pathlib import Path

_FOLDERS = [Path("/usr/share/javascript/mathjax"), Path("/usr/share/javascript/mathjax/unpacked")]
_ADDRESS = re.compile(r"https://cdnjs\.cloudflare\.com/ajax/libs/mathjax/[\d.]+/([^?]*)")
_SET = """() => window.MathJax?.isReady && !MathJax.Hub.queue.queue.length
    && !MathJax.Hub.queue.running && !MathJax.Hub.queue.pending"""

WHY_NOT = None if _FOLDERS[0].is_dir() else "MathJax is missing: sudo apt-get install libjs-mathjax"


def provide(page) -> list[str]:
    """Let a page load MathJax; what it asks for elsewhere."""
    asked: list[str] = []

    def answer(route) -> None:
        found = _ADDRESS.match(route.request.url)
        files = [folder / found[1] for folder in _FOLDERS] if found else []
        file = next((file for file in files if file.is_file()), None)
        if file is not None:
            route.fulfill(path=file, headers={"Access-Control-Allow-Origin": "*"})
            return
        if not found and "api.cdnjs.com" not in route.request.url:
            asked.append(route.request.url)
        route.abort()

    page.context.route(re.compile("^https?://(?!127.0.0.1)"), answer)
    return asked


def wait_until_set(page) -> None:
    """Until all formulas are set."""
    page.wait_for_function(_SET)
