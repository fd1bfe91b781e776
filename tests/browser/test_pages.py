"""Pages of single cells: what MathJax makes of formulas, and what a browser has to lay out."""

import pytest
from browser import mathjax
from grading.made_page import Linking, displayed, export, printed, shown
from nbformat.v4 import new_markdown_cell

from labkit.grading.clean_page import CleanExporter

pytestmark = pytest.mark.slow
needs_mathjax = pytest.mark.skipif(mathjax.WHY_NOT is not None, reason=str(mathjax.WHY_NOT))

LAYOUT = 20  # seconds of the processor, on any page; without bounds they were minutes
HONEST = r"$E=mc^2$ and $$\sum_{i=1}^n \frac{x_i}{\sqrt{2\pi}}$$"


def opened(page, tmp_path, *cells, exporter=CleanExporter):
    """Open a page of some cells, and wait for its formulas if there are any; what it asked for."""
    file = tmp_path / "page.html"
    file.write_text(export(*cells, exporter=exporter), "utf-8")
    asked = mathjax.provide(page)
    page.goto(file.as_uri())
    if mathjax.WHY_NOT is None:
        mathjax.wait_until_set(page)
    return asked


def formulas(page):
    return page.locator("#notebook-container .mjx-chtml").count()


@needs_mathjax
@pytest.mark.parametrize("exporter", [CleanExporter, Linking], ids=["marking", "feedback"])
def test_formulas_hold_what_the_page_allows(exporter, page, tmp_path):
    cells = [
        r"$\href{https://a.org/}{a}$ $\href{mailto:a@a.org}{b}$",
        r"$\href{javascript:window.owned=1}{c}$ $\href{file:///etc}{d}$ $\href{/formgrader}{e}$",
        r"$\style{cursor:url(http://phone.invalid/cursor),auto}{\text{f}}$",
        r"$\cssId{MJX-test-f}{g}$ $\cssId{test-f}{g}$ $\class{MJX-score}{h}$ $\class{score}{h}$",
        r"$\mmlToken{mi}[href='https://a.org/',id='test-f',class='score']{i}$",
        r"$\require{HTML}\require{../../evil}\require{autoload-all}\bbox[border:1px solid red]{j}$",
        r"$\unicode[phone]{9731}$ $\style{background:url(//phone.invalid)}{k}$",
        HONEST,
    ]
    outputs = [displayed(rf"$\href{{https://a.org/}}{{{kind}}}$", kind) for kind in KINDS]
    asked = opened(page, tmp_path, *map(new_markdown_cell, cells), *outputs, exporter=exporter)
    assert asked == []
    assert "$" not in page.inner_text("#notebook-container")
    links = page.eval_on_selector_all(
        "#notebook-container [href]", "all => all.map(each => each.getAttribute('href'))"
    )
    assert set(links) == ({"https://a.org/", "mailto:a@a.org"} if exporter is Linking else set())
    assert page.locator("[id*=test-f], .score, .MJX-score").count() == 0
    page.get_by_text("f", exact=True).first.hover()
    assert asked == []
    assert page.evaluate("window.owned") is None


KINDS = ["text/html", "text/latex", "text/markdown"]
BOMBS = {
    "nested roots": r"$" + r"\sqrt{" * 400 + "x" + "}" * 400 + "$",
    "nested powers": "$" + "x^{" * 400 + "x" + "}" * 400 + "$",
    "nested boxes": "$" + r"\color{red}{\boxed{" * 60 + "x" + "}}" * 60 + "$",
    "nested macros": r"$\def\a#1{\sqrt{\sqrt{#1}}}" + r"\a{" * 90 + "x" + "}" * 90 + "$",
    "a macro of itself": r"$\def\a{" + "x" * 100 + r"\a}\a$",
    "a macro of spaces": r"$\def\a{" + " " * 5_000 + r"\a}\a$ " * 3,
    "a long formula": "$" + "x+" * 9_000 + "$",
    "many formulas": "$x$ " * 4_000,
    "environments without an end": r"\begin{a}" * 2_000,
    "dollars": "$ " * 9_000,
}


@needs_mathjax
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_formulas_neither_grow_nor_nest_without_end(bomb, page, tmp_path):
    opened(page, tmp_path, new_markdown_cell(HONEST), new_markdown_cell(bomb), displayed(bomb))
    assert formulas(page) >= 2
    assert seconds(page) < LAYOUT


@needs_mathjax
def test_formulas_that_people_write_are_set(page, tmp_path):
    """Each is set, and none is shown as LaTeX or as an error."""
    texts = [
        HONEST,
        r"$\newcommand{\R}{\mathbb{R}} x \in \R^n$ then $\R$, $\def\v#1{\mathbf{#1}}\v{w}^T \v{x}$",
        r"\begin{align} a &= b + c \label{one} \\ d &= \frac{e}{1+\frac{f}{1+\frac{g}{h}}} "
        r"\end{align} see $\eqref{one}$",
        r"$$f = \begin{cases} 1 & x > 0 \\ \sqrt{1+\sqrt{1+\sqrt{1+x}}} & \text{else}\end{cases}$$",
        "$$" + r"\begin{pmatrix}" + r" \\ ".join("1 & 2 & 3 & 4 & 5" for _ in range(20))
        + r"\end{pmatrix}$$",
        r"$\require{cancel}\cancel{x}$ $\color{red}{y}$ $\boxed{\bbox[yellow,5px]{z}}$ ${\Huge x}$",
        r"$e^{-\frac{(x-\mu)^2}{2\sigma^2}}$ $\left(\left[\left\{x\right\}\right]\right)$",
    ]  # fmt: skip
    latex = displayed(r"$\displaystyle \int_0^1 x^{2}\, dx$", "text/latex")
    asked = opened(page, tmp_path, *map(new_markdown_cell, texts), latex)
    assert asked == []
    assert "$" not in page.inner_text("#notebook-container")
    assert page.locator(".noError, .merror, .MJXc-error").count() == 0
    assert "Math Processing Error" not in page.inner_text("body")


CELL = "<td colspan='{}' rowspan='{}'>x</td>"
HEAVY = {
    "wide cells": [displayed(f"<table><tr>{CELL.format(1000, 1) * 1_600}</tr></table>")],
    "high cells": [displayed(f"<table>{f'<tr>{CELL.format(1, 65000)}</tr>' * 1_200}</table>")],
    "wide and high": [displayed(f"<table>{f'<tr>{CELL.format(99, 99) * 48}</tr>' * 50}</table>")],
    "nested tables": [displayed("<table width='100%' height='100%'><td>" * 14 + "x")],
    "nested text": [displayed(("<blockquote>" * 28 + "x" + "</blockquote>" * 28) * 170)],
    "directions": [printed("a\u05d0" * 9_000)] * 40,
    "directions of text": [displayed("a&#x5d0;" * 30_000)] * 2,
    "accents": [displayed("a" + "\u0301" * 200_000)],
    "a script without spaces": [displayed("\u0e01\u0e33" * 100_000)],
    "scripts": [displayed("a\u0435\u03b1\u0561" * 50_000)] * 9,
    "sizes": [displayed("<hr size=99999999><p height=999999999 width=99999999>x</p>")],
    "elements": [displayed("<b>x</b>" * 4_900)] * 60,
    "lines": [printed("a\n" * 9_000)] * 60,
    "code": [shown("f(x)" * 12_000)] * 9,
}


@pytest.mark.parametrize("cells", HEAVY.values(), ids=HEAVY)
def test_a_page_is_laid_out(cells, page, tmp_path):
    """With an honest cell after the others."""
    opened(page, tmp_path, *cells, new_markdown_cell("The *last* word."))
    last = page.get_by_text("last", exact=True)
    last.scroll_into_view_if_needed()
    assert last.evaluate("each => each.tagName") == "EM"
    assert seconds(page) < LAYOUT


def seconds(page):
    """Time of the processor that a page has taken since it was opened."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate("document.body.offsetHeight")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


@needs_mathjax
def test_a_cell_does_not_cover_others(page, tmp_path):
    """TeX can set text far above its own line; there it can neither be seen nor clicked."""
    cells = ["# The first cell.", r"$\smash{\raise{4em}{\text{The last word}}}$"]
    opened(page, tmp_path, *map(new_markdown_cell, cells))
    above, on_top = page.locator("#notebook-container .mjx-mtext").first.evaluate(
        """each => {
          const box = each.getBoundingClientRect();
          const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          const cell = each.closest(".text_cell_render").getBoundingClientRect();
          return [box.bottom < cell.top, each.contains(there)];
        }"""
    )
    assert above and not on_top
