"""Pages of notebooks that nobody has handed in or graded."""

import base64
import io
from pathlib import Path

from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.server_extensions import formgrader as nbgrader_templates
from PIL import Image
from traitlets.config import Config

from labkit.grading.clean_page import CleanExporter


class Linking(CleanExporter):
    """The formgrader's exporter, but with links, as students get them."""

    links = True


def unmarked(book, resources):
    for cell in book.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["score"] = 0
    return book, resources


def export(*cells, path="/nonexistent", exporter=Linking, language="ipython3"):
    """The feedback page of a notebook that nobody has graded."""
    templates = Path(nbgrader_templates.__file__).parent
    css = templates / "static/node_modules/bootstrap/dist/css"
    settings = {"template_name": "feedback", "extra_template_paths": [str(css)]}
    settings["extra_template_basedirs"] = [str(templates / "templates")]
    names = {"notebook": "made up", "score": 0, "max_score": 0, "late_penalty": 0}
    resources = {"metadata": {"path": str(path)}, "nbgrader": names}
    made = exporter(config=Config(HTMLExporter=settings))
    made.register_preprocessor(unmarked, enabled=True)
    book = new_notebook(metadata={"language_info": {"name": "x", "pygments_lexer": language}})
    book.cells = list(cells)  # valid or not
    return made.from_notebook_node(book, resources=resources)[0]


def shown(source="", *outputs):
    """A code cell."""
    cell = new_code_cell(source)
    cell.outputs = list(outputs)  # valid or not
    return cell


def displayed(content, kind="text/html"):
    """A code cell that displays something."""
    return shown("", new_output("display_data", {kind: content}))


def printed(text):
    """A code cell that prints something."""
    return shown("", new_output("stream", name="stdout", text=text))


def container(text):
    """The part of a page that shows the notebook."""
    return BeautifulSoup(text, "html.parser").find(id="notebook-container")


def png(side=8):
    """A picture in base64."""
    file = io.BytesIO()
    Image.effect_noise((side, side), 90).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()
