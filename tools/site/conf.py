"""Sphinx's settings for the project's pages as a site: `make site`.

The pages are the repository's own: README.md, docs/, the walkthroughs as they were executed, and
the labs as students get them. They are copied to build/pages with their paths, so that their links
hold; a gallery of the pictures in docs/ is added. Sphinx runs with -W, so that a link that leads
nowhere fails the build, as does a formula that cannot be made.
"""

import re
import shutil
from pathlib import Path

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.util.logging import getLogger

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "build" / "pages"
WANTED = (
    "README.md",
    "docs/**/*",
    "labkit/bundle_guide.md",
    "notebooks/*.ipynb",
    "release/*/*.ipynb",
    "tests/hostile/*.md",
)
FOR_ALL = ("docs/gallery", "docs/methods", "docs/results")
FIRST = ("docs/instructors", "docs/authoring", "docs/grading")
OTHERS = sorted({f"docs/{path.stem}" for path in ROOT.glob("docs/*.md")} - {*FOR_ALL, *FIRST})
SECTIONS = {
    "Read": FOR_ALL,
    "Walkthroughs": ("notebooks/*",),
    "Labs": ("release/*/*",),
    "For instructors": (
        *FIRST,
        *OTHERS,
        "What students read first <labkit/bundle_guide>",
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
    (PAGES / "docs" / "gallery.md").write_text(gallery(), encoding="utf-8")


def gallery() -> str:
    """Every picture of docs/ with its text alternative, and the section that it belongs to."""
    lines = ["# Gallery", "", "Each picture was made by labkit; the section it links to says how."]
    seen = set()
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        to = page.name if page.parent.name == "docs" else f"../{page.name}"
        section = anchor = ""
        for line in page.read_text(encoding="utf-8").split("\n"):
            if line.startswith("#"):
                section = line.lstrip("# ")
                anchor = re.sub(r"[^\w\- ]", "", section.lower()).replace(" ", "-")
            for text, name in PICTURE.findall(line):
                if name not in seen:
                    seen.add(name)
                    lines += ["", f"![{text}](pictures/{name})", ""]
                    lines += [f"*{text}.* → [{section}]({to}#{anchor})"]
    return "\n".join(lines) + "\n"


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
        raise SkipNode

    return visit, None


def add_index(app, error) -> None:
    """A site is opened by its index.html."""
    if error is None:
        shutil.copyfile(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def setup(app) -> None:
    """What Sphinx calls first."""
    app.add_html_math_renderer("mathml", mathml("inline"), mathml("block"))
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_index)


gather()
