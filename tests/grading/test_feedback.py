"""Feedback of a nasty class: what students' pages show, and what they never do.

A made-up course of two notebooks goes through nbgrader's own commands. The pages are parsed, and
opened in a browser where Playwright and Chromium are installed.
"""

import base64
import importlib.util
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import requests
from bs4 import BeautifulSoup
from grading.made_page import container, export, png, shown
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.api import Gradebook
from PIL import Image

from labkit.grading import commands, feedback, sanitize
from labkit.grading.clean_page import MAX_MARKDOWN, MAX_TEXT
from labkit.grading.page import MAX_PAGE
from labkit.grading.pictures import MAX_PICTURE
from labkit.grading.sandbox import bubblewrap

spec = importlib.util.spec_from_file_location(
    "tiny_course", Path(__file__).with_name("tiny_course.py")
)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

OWN = "window.owned=1;document.title='owned';fetch('http://phone.invalid/script')"
PHONE = "http://phone.invalid/"
SECRET = "assert f(5) == 6"  # a hidden test of the tiny course
SCHEME = "Two marks for the word entropy."


SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{OWN}"><script>{OWN}</script></svg>'
MARKUP = [
    f"<script>{OWN}</script>",
    f"<scr<script></script>ipt>{OWN}</script>",
    f'<img src=x onerror="{OWN}">',
    f'<p onclick="{OWN}" onmouseover={OWN}>event</p>',
    f'<a href="javascript:{OWN}" id="go">go</a>',
    f'<a href="java&#10;script:{OWN}">go</a> <a href=" javascript:{OWN}">go</a>',
    f'<a href="/files/javascript:{OWN}">prefix</a>',
    f'<a href="data:text/html,<script>{OWN}</script>">data</a> <a href="evil.html">beside</a>',
    f'<iframe src="{PHONE}frame"></iframe><iframe srcdoc="<script>{OWN}</script>"></iframe>',
    f'<object data="{PHONE}object"></object><embed src="{PHONE}embed">',
    f'<link rel="stylesheet" href="{PHONE}css"><style>@import url({PHONE}import);</style>',
    f'<p style="background:url({PHONE}style);background-image:url({PHONE}image)">styled</p>',
    f'<p style="cursor:url({PHONE}cursor),auto;position:fixed;color:red">cursor</p>',
    f'<img src="{PHONE}img"><img srcset="{PHONE}srcset 2x"><picture><source srcset="{PHONE}s">',
    f'<video src="{PHONE}video" poster="{PHONE}poster" autoplay></video>',
    f'<audio src="{PHONE}audio" autoplay></audio><input type="image" src="{PHONE}input">',
    f'<meta http-equiv="refresh" content="0;url={PHONE}refresh"><base href="{PHONE}">',
    f'<form action="{PHONE}form"><button autofocus onfocus="{OWN}">send</button></form>',
    SVG,
    f'<math><mtext><style><img src=x onerror="{OWN}"></style></mtext></math>',
    f'<table background="{PHONE}table"><tr><td background="{PHONE}cell">t</td></tr></table>',
    f'<noscript><p title="</noscript><img src=x onerror={OWN}>">',
    f"<!--><img src=x onerror={OWN}>-->",
    f"</div></div></main></body></html><script>{OWN}</script><p class='container'>out</p><div>",
    '<div id="test-f" class="score tabbable nbgrader_cell" data-link="x">clobber</div>',
    '<img src="../../../gradebook.db"><img src="/etc/passwd"><img src="../../other/tiny/x.png">',
    '<img src="/formgrader?path=/tmp"><a href="/formgrader?path=/tmp">server</a>',
]
MARKDOWN = [
    f"[click](javascript:{OWN}) [tab](<java\tscript:{OWN}>) ![pixel]({PHONE}pixel)",
    f"[ref]: javascript:{OWN}\n\n[ref] <javascript:{OWN}> ![gone](attachment:gone.png)",
    f'```"><script>{OWN}</script>\ncode\n```',
    f"```mermaid\n<script>{OWN}</script>\n```",
    f"$\\href{{javascript:{OWN}}}{{x}}$ `<script>{OWN}</script>`",
    f'![alt" onerror="{OWN}]({PHONE}alt)\n\n# <img src=x onerror="{OWN}">',
]


def outputs():
    """What a kernel in the student's hands can write; much of it is no valid output at all."""
    bad = f'1 onerror="{OWN}"'
    yield from (new_output("display_data", {"text/html": text}) for text in MARKUP)
    yield from (new_output("display_data", {"text/markdown": text}) for text in MARKDOWN)
    yield new_output("display_data", {"application/javascript": OWN, "text/plain": "js"})
    yield new_output("display_data", {"image/svg+xml": SVG})
    yield new_output("display_data", {"text/latex": f"$x$<script>{OWN}</script>"})
    yield new_output("display_data", {"text/vnd.mermaid": f"<script>{OWN}</script>"})
    for metadata in (
        {"image/png": {"width": bad, "height": bad, "unconfined": True}},
        {"filenames": {"image/png": f"{PHONE}filename"}},
    ):
        yield new_output("display_data", {"image/png": png()}, metadata=metadata)
    isolated = {"text/html": {"isolated": True}}
    yield new_output("display_data", {"text/html": f"<script>{OWN}</script>"}, metadata=isolated)
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "m"}, "text/plain": "widget"}
    yield new_output("display_data", view)
    yield new_output("stream", name="stdout", text=f"<script>{OWN}</script>\x1b[31m<b>")
    yield new_output("error", ename=f"<script>{OWN}", evalue="e", traceback=[f"<script>{OWN}"])
    odd = new_output("display_data", {"image/png": f'"><script>{OWN}</script>'})
    odd.svg_filename = f"{PHONE}svg"
    yield odd
    odd = new_output("display_data", {"text/plain": "data"})
    odd.data["text/html"] = ["<b>"]
    yield odd


def nasty():
    """An answer of every kind that must not come alive."""
    book = tiny.handed_in(why=f"Because. <script>{OWN}</script>")
    extra = [new_markdown_cell(text) for text in [*MARKUP, *MARKDOWN]]
    extra += [new_raw_cell(text) for text in MARKUP]
    attached = new_markdown_cell("![a](attachment:a.svg) ![b](attachment:b)")
    attached.attachments = {
        "a.svg": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()},
        "b": {"text/html": base64.b64encode(f"<script>{OWN}</script>".encode()).decode()},
    }
    hiding = new_code_cell("hidden_by_metadata = 1")
    hiding.metadata = nbformat.from_dict({"transient": {"remove_source": True}, "tags": [OWN]})
    book.cells = [book.cells[0], *extra, attached, hiding, *book.cells[1:]]
    book.metadata["title"] = f"</title><script>{OWN}</script>"
    state = {"state": {"m": {}}, "x": f"</script><script>{OWN}</script>"}
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    return book


DISPLAYS = """
import json
from IPython.display import display
for each in json.load(open("displays.json")):
    if each["output_type"] == "display_data":
        display(each["data"], raw=True, metadata=each["metadata"])
"""
HONEST = """
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Math, display
plt.figure(figsize=(2, 2)); plt.plot([1, 3, 2]); plt.show()
display(pd.DataFrame({"loss": [0.25, 0.125]}), Math(r"\\frac{a}{b}"))
print("\\x1b[31mred words\\x1b[0m"); pd.DataFrame({"x": [1]})["no such column"]
"""


SHOW = "from IPython.display import display\n"
HUGE = [
    "print('x' * 300_000)\nfor i in range(900): print('\\x1b[31m', i)",
    f"{SHOW}display({{'image/png': 'A' * {MAX_PICTURE + 1}}}, raw=True)",
    f"{SHOW}for i in range(1500): display({{'text/plain': '<' * 9000}}, raw=True)",
]
TEXT = "# A *title*\n\n$a < b$ ![mine](mine.png) [paper](https://a.org/b)\n\n---\n\n> quoted"


def second():
    """A notebook with a task that is marked by hand and has a scheme for marking."""
    scheme = f"### BEGIN MARK SCHEME\n{SCHEME}\n### END MARK SCHEME"
    cells = [
        new_markdown_cell("Second notebook"),
        tiny.cell("essay", f"Write.\n\n{scheme}", "markdown", task=True, locked=True, points=2),
        tiny.cell("h", "### BEGIN SOLUTION\nh = 1\n### END SOLUTION", solution=True),
        tiny.cell("test-h", "### BEGIN HIDDEN TESTS\nassert h == 1, 'h must be one'\n"
                  "### END HIDDEN TESTS", grade=True, locked=True, points=1),
    ]  # fmt: skip
    return new_notebook(cells=cells, metadata={"kernelspec": dict(tiny.KERNEL)})


def hand_in_second(course, student, h="h = 1"):
    book = second()
    book.cells[1].source = "Write."
    book.cells[2].source, book.cells[3].source = h, ""
    nbformat.write(book, course / "submitted" / student / tiny.LAB / "second.ipynb")


def nbgrader(course, command, *options):
    log = course / "nbgrader.log"
    return commands.nbgrader(course, command, tiny.LAB, *options, log=log), log.read_text()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class of five, graded by nbgrader's commands."""
    course = tmp_path_factory.mktemp("class")
    tiny.make(course)
    nbformat.write(second(), course / "source" / tiny.LAB / "second.ipynb")
    code, log = nbgrader(course, "generate_assignment")
    assert code == 0, log
    (course / "source" / tiny.LAB / "answers.txt").write_text("the instructor's own")

    book = nasty()
    book.cells.append(new_code_cell(DISPLAYS))
    folder = tiny.hand_in(course, "nasty", book).parent
    (folder / "displays.json").write_text(json.dumps(list(outputs())))
    (folder / "evil.html").write_text(f"<script>{OWN}</script>")
    hand_in_second(course, "nasty", h="h = 2")

    book = tiny.handed_in(f="def f(x):\n    return 2")  # passes the visible check only
    book.cells += [new_markdown_cell(TEXT), new_code_cell(HONEST)]
    folder = tiny.hand_in(course, "honest", book).parent
    (folder / "mine.png").write_bytes(base64.b64decode(png()))
    hand_in_second(course, "honest")

    book = tiny.handed_in()
    book.cells += [*map(new_code_cell, HUGE), new_markdown_cell("word " * 40_000)]
    tiny.hand_in(course, "huge", book)
    hand_in_second(course, "huge")

    tiny.hand_in(course, "cut", '{"cells": [')
    hand_in_second(course, "cut")
    tiny.hand_in(course, "cut-both", "")
    (course / "submitted" / "cut-both" / tiny.LAB / "second.ipynb").write_text("[]")
    renamed = tiny.hand_in(course, "renamed", tiny.handed_in())
    renamed.rename(renamed.with_name("tiny <b>(1)<b> & $x$.ipynb"))
    hand_in_second(course, "renamed")

    code, log = nbgrader(course, "autograde", *bubblewrap.options())
    assert code == 1, log  # two are rejected
    code, log = nbgrader(course, "generate_feedback")
    assert code == 0, log
    return course


def page(course, student, notebook=tiny.LAB):
    text = (course / "feedback" / student / tiny.LAB / f"{notebook}.html").read_text("utf-8")
    return text, BeautifulSoup(text, "html.parser")


def assert_inert(soup):
    """Nothing in a parsed page that runs or loads, but for what nbgrader's template puts there."""
    for script in soup("script"):
        text = script.string or ""
        assert OWN not in text, script
        assert script.get("src", feedback._MATHJAX).startswith(("/", feedback._MATHJAX)), script
    known = sanitize.TAGS | {"body", "main", "script"} | {"textarea", "input", "button"}
    for tag in soup.body(True):
        if tag.name == "nav" or tag.find_parent("nav"):
            continue  # the formgrader's own
        assert tag.name in known, tag
        assert not any(name.startswith(("on", "data-", "srcset")) for name in tag.attrs), tag
        assert re.match("data:image/", tag.get("src", "data:image/")), tag
        assert re.match("#|https?:|mailto:", tag.get("href", "#")), tag
        assert "url" not in tag.get("style", ""), tag
        assert not {"background", "action", "poster", "formaction"} & set(tag.attrs), tag
        if tag.name in {"input", "button", "textarea"}:
            assert tag.find_parent(class_={"panel-heading", "panel-footer"}), tag


@pytest.mark.parametrize("cell", [*nasty().cells, shown("", *outputs())])
def test_no_cell_comes_alive(cell):
    assert_inert(BeautifulSoup(export(cell), "html.parser"))


def test_outputs_that_no_honest_kernel_writes():
    odd = shown("one", new_output("display_data", {"text/plain": "1"}))
    odd["execution_count"] = f"<script>{OWN}</script>"
    odd.metadata["transient"] = {"remove_source": True}
    odd.metadata["nbgrader"] = {"grade_id": f'"><script>{OWN}</script>', "grade": True, "points": 1}
    text = export(odd)
    assert_inert(BeautifulSoup(text, "html.parser"))
    assert "one" in container(text).text


def test_markup_takes_no_part_in_the_page_of_nbgrader():
    text = '<div id="test-f" class="score nbgrader_cell" data-link="x" name="top">clobber</div>'
    html = new_output("display_data", {"text/html": text})
    for cell in (new_markdown_cell(text), shown("", html), new_markdown_cell("# test-f")):
        soup = BeautifulSoup(export(cell), "html.parser")
        assert not soup(id="test-f") + soup.select(".score, .nbgrader_cell, [data-link], [name=x]")


@pytest.mark.parametrize("locked", [True, False])
def test_who_marks_sees_a_marking_scheme_as_a_quotation(locked):
    """That of a locked cell; what a student has written stays as it is."""
    scheme = "### BEGIN MARK SCHEME\n**Scheme.** One.\n\n- two\n### END MARK SCHEME"
    cell = new_markdown_cell(f"Why?\n\n{scheme}\nBriefly.")
    cell.metadata["nbgrader"] = {"grade_id": "q", "locked": locked}
    body = container(export(cell))
    quotations = [quotation.text.split() for quotation in body("blockquote")]
    assert quotations == ([["Scheme.", "One.", "two"]] if locked else [])
    assert ("MARK SCHEME" in body.text) is not locked
    assert "Why?" in body.text and "Briefly." in body.text


def test_scripts_do_not_turn_into_text():
    """A table of pandas brings its style, an interactive plot its program of some megabytes."""
    text = "<style>.dataframe {}</style><script>draw()</script>"
    table = new_output("display_data", {"text/html": f"<div>{text}<table><td>1</table></div>"})
    assert container(export(shown("", table))).find(class_="output_html").text.strip() == "1"
    plot = new_output("display_data", {"text/html": text})
    assert "[This output cannot be shown here.]" in export(shown("", plot))


def test_the_nasty_pages_are_inert_and_whole(course):
    for notebook in (tiny.LAB, "second"):
        text, soup = page(course, "nasty", notebook)
        assert_inert(soup)
        assert "Content-Security-Policy" in text[:400]
    body = page(course, "nasty")[1].find(id="notebook-container").text
    for words in ("event", "styled", "clobber", "hidden_by_metadata", "Because."):
        assert words in body
    assert body.count("[This picture cannot be shown here.]") > 10
    files = sorted(path.name for path in (course / "feedback" / "nasty" / tiny.LAB).iterdir())
    beside = ["submission_secret.txt", "timestamp.txt"]  # what the exchange needs of a page
    assert files == sorted(["second.html", "tiny.html", *beside])  # no other of the student's


def test_nothing_hidden_is_shown(course):
    pages = sorted((course / "feedback").rglob("*.html"))
    assert len(pages) == 12
    for path in pages:
        text = BeautifulSoup(path.read_text("utf-8"), "html.parser").text
        for hidden in (
            SECRET,
            "assert g(5)",
            SCHEME,
            "BEGIN",
            "assert h ==",
            str(course),
            sys.prefix,
        ):
            assert hidden not in text, (path, hidden)
        assert "Traceback (most recent call last)" not in text or "honest" in str(path)
    assert "Hidden tests are part of this cell" in page(course, "honest")[1].text
    assert "Notes for marking are part" in page(course, "honest", "second")[1].text


def test_work_points_and_sentences_are_shown(course):
    _, soup = page(course, "honest")
    assert "tiny (Score: 2.0 / 7.0)" in soup.h4.text
    assert "return 2" in soup.text
    assert "assert f(1) == 2" in soup.text
    assert "Score: 0.0 / 2.0" in soup.text
    assert "AssertionError" in soup.text  # the tests of the tiny course have no sentence
    assert "h must be one" in page(course, "nasty", "second")[1].text
    assert soup.find("h1").em.text == "title"
    assert soup.blockquote.text.strip() == "quoted"
    assert soup.find("hr")
    assert "$a < b$" in soup.text
    assert soup.find("a", href="https://a.org/b").text == "paper"
    assert [cell.text for cell in soup.find("table", class_="dataframe")("td")] == [
        "0.250",
        "0.125",
    ]
    assert "\\frac{a}{b}" in soup.find(class_="output_latex").text
    assert soup.find(class_="ansi-red-fg").text == "red words"
    assert "KeyError" in soup.text and "no such column" in soup.text  # the student's own traceback
    plot = soup.select_one(".output_png img")
    with Image.open(io.BytesIO(base64.b64decode(plot["src"].partition(",")[2]))) as image:
        assert min(image.size) > 50
    mine = soup.find("img", alt="mine")
    assert mine["src"] == f"data:image/png;base64,{_file(course, 'honest', 'mine.png')}"


def _file(course, student, name):
    return base64.b64encode(
        (course / "submitted" / student / tiny.LAB / name).read_bytes()
    ).decode()


def test_a_page_is_bounded_and_says_so(course):
    text, soup = page(course, "huge")
    assert len(text) < MAX_PAGE + 500_000
    assert "more characters are not shown" in soup.text
    assert "[Too large to be shown here: image/png.]" in soup.text
    assert "tiny (Score: 4.0 / 7.0)" in soup.h4.text  # and the tests after the flood are there
    assert soup.text.count("Hidden tests are part of this cell") == 2


def test_tests_are_shown_whatever_comes_before_them():
    drops = [new_output("stream", name="stdout", text="x" * size) for size in (MAX_TEXT, 50)]
    flood = [drops[0]] * 487 + [drops[1]] * 100  # until nothing more fits
    test = shown("assert 1", new_output("error", ename="AssertionError", evalue="one is not two"))
    test.metadata["nbgrader"] = {"grade_id": "t", "grade": True, "locked": True, "points": 1}
    text = export(shown("flood()", *flood), test)
    assert "one is not two" in text
    assert "[Not shown: this page would become too large.]" in text
    assert len(text) < MAX_PAGE + 500_000


def test_text_that_would_keep_the_parser_of_markdown_busy():
    """It is parsed up to a limit for a cell and one for the page, and shown as written beyond."""
    cells = [new_markdown_cell("[" * MAX_TEXT) for _ in range(20)]
    text = export(*cells)
    assert text.count("[" * MAX_TEXT) == 20
    assert len(container(text)("pre")) == 20 - MAX_MARKDOWN // MAX_TEXT
    assert not container(export(new_markdown_cell("*a*" + " b" * MAX_TEXT)))("em")


def test_pictures_of_others_stay_out(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("other.png", "mine/own.png", "mine/text.txt"):
        (tmp_path / name).write_bytes(base64.b64decode(png()))
    (tmp_path / "mine" / "link.png").symlink_to(tmp_path / "other.png")
    names = ["own.png", "../other.png", "link.png", "text.txt", f"{tmp_path}/other.png", "a\0.png"]
    cells = [new_markdown_cell(f'<img src="{name}" alt="{name}">') for name in names]
    pictures = container(export(*cells, path=tmp_path / "mine"))("img")
    assert [picture["alt"] for picture in pictures] == ["own.png"]


def test_one_picture_a_thousand_times(tmp_path):
    (tmp_path / "own.png").write_bytes(base64.b64decode(png(500)))
    text = export(new_markdown_cell("![](own.png)" * 1000), path=tmp_path)
    assert 500_000 < len(text) < MAX_PAGE + 1_000_000


def test_what_was_rejected_has_a_page_with_the_reason(course):
    _, soup = page(course, "cut")
    assert "tiny (Score: 0.0 / 7.0)" in soup.h4.text
    assert "counts 0 points" in soup.text
    assert "only a part of one" in soup.text
    assert "second (Score: 1.0 / 3.0)" in page(course, "cut", "second")[1].h4.text
    for notebook in (tiny.LAB, "second"):
        assert "counts 0 points" in page(course, "cut-both", notebook)[1].text


def test_repairs_are_at_the_top_of_the_page(course):
    _, soup = page(course, "renamed")
    first = soup.find(class_="text_cell").text
    assert "Before grading, your submission was repaired" in first
    assert "The notebook was named 'tiny <b>(1)<b> & $x$.ipynb'" in first
    assert "repaired" not in page(course, "honest")[1].text


def test_a_page_follows_a_new_grading(course):
    path = course / "feedback" / "renamed" / tiny.LAB / "tiny.html"
    before = path.stat().st_mtime_ns
    assert nbgrader(course, "generate_feedback", "--student=renamed")[0] == 0
    assert path.stat().st_mtime_ns == before
    assert (
        nbgrader(course, "autograde", "--student=renamed", "--force", *bubblewrap.options())[0] == 0
    )
    assert nbgrader(course, "generate_feedback", "--student=renamed")[0] == 0
    assert path.stat().st_mtime_ns > before


@pytest.fixture(scope="module")
def formgrader(course):
    """Jupyter's server in the course; the address of the formgrader."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={course}"]
    command += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    with (course / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=course, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}/formgrader"
        for _ in range(120):
            time.sleep(0.5)
            try:
                requests.get(address, timeout=20).raise_for_status()
                break
            except requests.ConnectionError:
                continue
        else:
            pytest.fail((course / "server.log").read_text())
        yield address
    finally:
        server.terminate()
        server.wait(20)


def submission(course, student):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        return gradebook.find_submission_notebook(tiny.LAB, tiny.LAB, student).id


def test_the_formgrader_shows_the_same_clean_work(course, formgrader):
    answer = requests.get(f"{formgrader}/submissions/{submission(course, 'nasty')}/", timeout=60)
    soup = BeautifulSoup(answer.text, "html.parser")
    assert_inert(soup)
    assert SECRET in soup.text  # an instructor sees the hidden tests
    body = soup.find(id="notebook-container")
    assert not body("a", href=True)  # links are text here
    assert len(body(id="test-f")) == 1 and body.find(id="test-f").name == "input"
    honest = requests.get(f"{formgrader}/submissions/{submission(course, 'honest')}/", timeout=60)
    assert "paper [https://a.org/b]" in BeautifulSoup(honest.text, "html.parser").text


def test_files_beside_a_notebook_are_served_without_rights(course, formgrader):
    answer = requests.get(f"{formgrader}/submissions/{submission(course, 'nasty')}/evil.html")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as play:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            made = play.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu"]
            )
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}")
        yield made
        made.close()


def visit(browser, address):
    """Open a page without a network, click what can be clicked; the page, and what it asked for."""
    tab = browser.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.route(re.compile("^https?://(?!127.0.0.1)"), lambda route: route.abort())
    tab.goto(address)
    for link in tab.locator("#notebook-container :text-matches('^(go|event|cursor)$')").all():
        link.hover(force=True)
        link.click(force=True)
    tab.wait_for_timeout(500)
    return tab, [url for url in asked if not url.startswith("data:")]


@pytest.mark.parametrize("policy", [True, False], ids=["as it is", "without its policy"])
def test_no_script_runs_and_nothing_is_asked_for(course, browser, policy, tmp_path):
    text, _ = page(course, "nasty")
    if not policy:  # the markup alone must hold
        text = re.sub('<meta [^>]*"Content-Security-Policy"/>', "", text, count=1)
    (tmp_path / "page.html").write_text(text, "utf-8")
    address = (tmp_path / "page.html").as_uri()
    tab, asked = visit(browser, address)
    foreign = [url for url in asked if url != address and "glyphicons" not in url]
    assert foreign and all(url.startswith(feedback._MATHJAX) for url in foreign)
    assert tab.evaluate("window.owned") is None
    assert tab.title() == "tiny"
    assert tab.url == address
    assert tab.inner_text("body").count("Student's answer") == 3


def test_no_script_runs_with_the_instructors_rights(course, formgrader, browser):
    address = f"{formgrader}/submissions/{submission(course, 'nasty')}/"
    tab, asked = visit(browser, address)
    own = formgrader.removesuffix("/formgrader")
    assert all(url.startswith((own, feedback._MATHJAX)) for url in asked), asked
    assert not [url for url in asked if "path=" in url]
    assert tab.evaluate("window.owned") is None
    assert tab.url.startswith(address)
    tab.locator("input.score").last.fill("2")
    tab.locator("input.score").last.blur()
    tab.wait_for_timeout(1000)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(tiny.LAB, tiny.LAB, "nasty").grades
        assert {grade.name: grade.manual_score for grade in grades}[
            "why"
        ] == 2  # its own scripts run


def test_an_honest_page_can_be_read(course, browser):
    tab, _ = visit(browser, (course / "feedback" / "honest" / tiny.LAB / "tiny.html").as_uri())
    sizes = tab.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")
    assert len(sizes) == 2 and min(sizes) > 0
    assert tab.locator("table.dataframe").is_visible()
    words = tab.get_by_text("red words", exact=True)
    assert words.is_visible()
    assert words.evaluate("each => getComputedStyle(each).color") == "rgb(255, 0, 0)"
    padding = "each => getComputedStyle(each).paddingLeft"
    assert tab.locator("table.dataframe td").first.evaluate(padding) == "8px"
