"""Run the walkthroughs and save them with their pictures: `make notebooks`.

Widgets are saved as pictures: without a kernel, their views would say that a model is missing.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(path: Path) -> None:
    """Run one notebook from top to bottom and write its outputs into it."""
    book = nbformat.read(path, as_version=4)
    NotebookClient(
        book,
        kernel_name="python3",
        timeout=None,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    for cell in book.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(_VIEW, None)
        # Progress bars are of no interest afterwards.
        cell["outputs"] = [o for o in cell.get("outputs", []) if o.get("name") != "stderr"]
        if cell.cell_type != "code":
            del cell["outputs"]
    nbformat.write(book, path)


if __name__ == "__main__":
    for name in tqdm(sys.argv[1:], unit="notebook"):
        execute(Path(name))
