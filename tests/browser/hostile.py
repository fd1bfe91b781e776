"""What a student hands in who got one thing wrong, and tries to run scripts where it is read."""

import dataclasses

import nbformat
from browser.places import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell

from labkit.grading import notebooks, sample_class
from labkit.grading.sample_class import Student

LAB = "lab1_cam"
OWN = "window.top.owned=1;window.owned=1;document.title='owned'"
MARKUP = [
    f"<script>{OWN}</script>",
    f'<img src="x" onerror="{OWN}">',
    f'<iframe srcdoc="<script>{OWN}</script>"></iframe>',
    f'<svg xmlns="http://www.w3.org/2000/svg" onload="{OWN}"></svg>',
    f'<details open ontoggle="{OWN}">toggled</details>',
    '<img src="http://phone.invalid/home.png">',
    r"$\href{http://phone.invalid/formula}{E=mc^2}$",
]


def hostile_member() -> Student:
    """The sample class's "max-pooling", with both questions answered and markup at the end."""
    members = {one.name: one for one in sample_class.students(ROOT, LAB)}
    member = members["max-pooling"]
    book = nbformat.reads(member.text, as_version=4)
    source = notebooks.read(ROOT / "source" / LAB / f"{LAB}.ipynb")
    written = notebooks.solutions(source)
    for cell in book.cells:
        if (name := notebooks.grade_id(cell)) in ("answer-1", "answer-2"):
            cell.source = written[name]
    book.cells += [new_markdown_cell(f"A note. {markup}") for markup in MARKUP]
    shows = "from IPython.display import HTML, display\nfor text in {!r}:\n    display(HTML(text))"
    book.cells.append(new_code_cell(shows.format(MARKUP)))
    return dataclasses.replace(member, text=nbformat.writes(book))
