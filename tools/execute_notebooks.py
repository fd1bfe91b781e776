"""Run the walkthroughs and save them with their pictures: `make notebooks`.

Widgets are saved as pictures: without a kernel, their views would say that a model is missing.
"""

import base64
import sys
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image, ImageChops
from tqdm import tqdm

_VIEW = "application/vnd.jupyter.widget-view+json"
_LOST = 40  # of 255 levels: a difference that turns one colour into another,
_PATCH = 200  # pixels: where so many have it


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
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _worth_keeping(output)]
    nbformat.write(book, path)


def _worth_keeping(output: nbformat.NotebookNode) -> bool:
    """Lighten an output; say whether anything is left. Progress bars are forgotten."""
    data = output.get("data", {})
    was_widget = data.pop(_VIEW, None) is not None
    if "image/png" in data:
        data["image/png"] = _lighter(data["image/png"])
    return output.get("name") != "stderr" and not (was_widget and "image/png" not in data)


def _lighter(png: str) -> str:
    """A picture in 256 colours: a quarter of the bytes, and hardly to be told apart.

    A colour that is rare, such as one of a legend, may be lost in that; then all are kept.
    """
    lighter = BytesIO()
    picture = Image.open(BytesIO(base64.b64decode(png))).convert("RGB")
    # Refined until at most a thousand pixels change their colour: more pictures pass.
    few = picture.quantize(256, kmeans=1000)
    difference = np.asarray(ImageChops.difference(picture, few.convert("RGB"))).max(axis=2)
    lost = (difference >= _LOST).sum() >= _PATCH
    (picture if lost else few).save(lighter, "PNG", optimize=True)
    return base64.b64encode(lighter.getvalue()).decode()


if __name__ == "__main__":
    for name in tqdm(sys.argv[1:], unit="notebook"):
        execute(Path(name))
