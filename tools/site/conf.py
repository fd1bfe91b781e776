"""Sphinx's settings for the project's pages as a site: `make site`.

The pages are the repository's own: README.md, docs/, the walkthroughs as they were executed, and
the labs as students get them. They are copied to build/pages with their paths, so that their links
hold; a gallery of the pictures in docs/ and of some in the walkthroughs is added. Sphinx runs with
-W, so that a link that leads nowhere fails the build, as does a formula that cannot be made.
"""

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.logging import getLogger

from labkit import __version__
from labkit.bundle import student_guide

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "build" / "pages"
WANTED = (
    "README.md",
    "CHANGELOG.md",
    "docs/**/*",
    "labkit/bundle_guide.md",
    "notebooks/*.ipynb",
    "release/*/*.ipynb",
    "tests/hostile/*.md",
)
FOR_ALL = ("docs/gallery", "docs/methods", "docs/results", "docs/performance", "CHANGELOG")
FIRST = ("docs/instructors", "docs/authoring", "docs/grading")
OTHERS = sorted({f"docs/{path.stem}" for path in ROOT.glob("docs/*.md")} - {*FOR_ALL, *FIRST})
SECTIONS = {
    "For students": ("labkit/bundle_guide",),
    "Read": FOR_ALL,
    "Walkthroughs": ("notebooks/*",),
    "Labs": ("release/*/*",),
    "For instructors": (
        *FIRST,
        *OTHERS,
        "tests/hostile/README",
    ),
}
PICTURE = re.compile(r"!\[([^\]]+)\]\([^)]*pictures/([\w.-]+)\)")

project = "labkit"
copyright = "the labkit authors"
extensions = ["myst_nb"]
root_doc = "README"
html_theme = "furo"
html_title = "labkit"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_math_renderer = "mathml"
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4


def gather() -> None:
    """Copy the pages, and make the gallery."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for path in sorted(path for pattern in WANTED for path in ROOT.glob(pattern)):
        if path.is_file():
            copy = PAGES / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    fill_guide()
    (PAGES / "docs" / "gallery.md").write_text(gallery(), encoding="utf-8")


def gallery() -> str:
    """A section a lab: pictures of docs/results.md, and those that the walkthrough describes."""
    lines = ["# Gallery", "", "Each picture was made by labkit; what it links to says how."]
    of_lab, others = results_pictures()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        lines += ["", f"## {book.cells[0].source.splitlines()[0].lstrip('# ')}"]
        lines += of_lab.get(int(path.name[:2]), [])
        for text, png, number in described(book):
            name = f"{path.stem}-{number}.png"
            (PAGES / "docs" / "pictures" / name).write_bytes(png)
            lines += shown(text, name, "walkthrough", f"../notebooks/{path.name}")
    lines += ["", "## Any pictures, at the command line", *others]
    return "\n".join(lines) + "\n"


def results_pictures() -> tuple[dict[int, list[str]], list[str]]:
    """The pictures of docs/results.md by lab, then those of README.md that are not among them."""
    of_lab: dict[int, list[str]] = {}
    others: list[str] = []
    seen = set()
    for page in (ROOT / "docs" / "results.md", ROOT / "README.md"):
        to = page.name if page.parent.name == "docs" else f"../{page.name}"
        lab, section, anchor = 0, "", ""
        for line in page.read_text(encoding="utf-8").split("\n"):
            if line.startswith("#"):
                section = line.lstrip("# ")
                anchor = re.sub(r"[^\w\- ]", "", section.lower()).replace(" ", "-")
            if match := re.match(r"## Lab (\d)", line):
                lab = int(match[1])
            for text, name in PICTURE.findall(line):
                if name not in seen:
                    seen.add(name)
                    under = of_lab.setdefault(lab, []) if lab else others
                    under += shown(text, name, section, f"{to}#{anchor}")
    return of_lab, others


def described(book: nbformat.NotebookNode) -> Iterator[tuple[str, bytes, int]]:
    """The first picture of each cell whose metadata have a text for it, and the cell's number."""
    for number, cell in enumerate(book.cells):
        text = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
        if text:
            pngs = [
                o["data"]["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})
            ]
            yield text, base64.b64decode(pngs[0]), number


def shown(text: str, name: str, where: str, link: str) -> list[str]:
    """A picture, its text once more for those who see, and where it is from."""
    return ["", f"![{text}](pictures/{name})", "", f"*{text}.* → [{where}]({link})"]


def fill_guide() -> None:
    """The page for students with the names that it has in a bundle."""
    path = PAGES / "labkit" / "bundle_guide.md"
    path.write_text(student_guide(ROOT, f"labkit-{__version__}-py3-none-any.whl"), encoding="utf-8")


def describe_outputs(app, tree) -> None:
    """A picture in a notebook that has no text is named after its section."""
    for image in tree.findall(nodes.image):
        if not image.get("alt"):
            parent = image.parent
            while parent is not None and not isinstance(parent, nodes.section):
                parent = parent.parent
            image["alt"] = f"Picture of “{parent[0].astext()}”" if parent else "Picture"


def add_contents(app, name: str, text: list[str]) -> None:
    """The front page is README.md; what follows it, in order, stands in the sidebar."""
    if name == root_doc:
        for caption, patterns in SECTIONS.items():
            lines = ("```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", *patterns, "```")
            text[0] += "\n\n" + "\n".join(lines) + "\n"


def mathml(display: str):
    """What writes a formula as MathML, which a browser shows without a script."""

    def visit(writer, node) -> None:
        made = convert(node.astext(), display=display)
        if re.search(r"\\[a-zA-Z]", made):
            getLogger(__name__).warning("no MathML for %s", node.astext(), location=node)
        writer.body.append(made)
        raise nodes.SkipNode

    return visit, None


def add_index(app, error) -> None:
    """A site is opened by its index.html."""
    if error is None:
        shutil.copyfile(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def setup(app) -> None:
    """What Sphinx calls first."""
    app.add_html_math_renderer("mathml", mathml("inline"), mathml("block"))
    app.connect("source-read", add_contents)
    app.connect("doctree-read", describe_outputs)
    app.connect("build-finished", add_index)


gather()
