"""Single cells on a page: each costs no more than itself, and none takes long."""

import re
import time

import pytest
from bs4 import BeautifulSoup
from grading.made_page import container, displayed, export, png, printed, shown
from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell

from labkit.grading import feedback, formulas, page, pictures, sanitize
from labkit.grading.clean_page import MAX_SOURCE, MAX_TEXT, CleanExporter

markdown = new_markdown_cell


def repeated(text, size=MAX_TEXT):
    return (text * (size // len(text) + 1))[:size]


SLOW = {
    "blank lines of code": shown(repeated("\n ", MAX_SOURCE)),
    "open f-strings": shown(repeated("f'{", MAX_SOURCE)),
    "code of another language": shown("%%html\n" + repeated("<a ", MAX_SOURCE - 9)),
    "a fence of another language": markdown(f"```ipython3\n{repeated(' ' + chr(10))}"),
    "a fence of an odd language": markdown(f"```mathematica\n{repeated('(*', 4_000)}"),
    "emphasis": markdown(repeated("*a_ ", MAX_TEXT // 2) + repeated("*a", MAX_TEXT // 2)),
    "brackets of formulas": markdown(repeated("\\\\[", MAX_TEXT)),
    "nested lists": markdown("\n".join(" " * depth + "- a" for depth in range(190))),
    "nested quotations": markdown("\n".join("> " * depth + "a" for depth in range(190))),
    "a hundred thousand attributes": displayed("<b " + " ".join(f"a{n}" for n in range(70_000))),
    "ampersands": displayed("&" * 400_000),
    "tags that never end": displayed("<a " * 4_900),
    "open tags, of which browsers make millions": displayed(
        "<p>" + "".join(f"<b a{n}>" for n in range(4_900)) + "<p>x" * 20_000
    ),
    "paragraphs that close others": displayed("<p><b a></p>" * 2_400),
    "tables in tables": displayed("<table>" * 3_000),
    "pictures that are not there": displayed("<img src='a.png'>" * 4_900),
    "colours": printed("\x1b[31mx" * 4_000),
    "ten thousand outputs": shown("", *[new_output("display_data", {"text/plain": "x"})] * 10_000),
}


@pytest.mark.parametrize("cell", SLOW.values(), ids=SLOW)
def test_no_cell_takes_long(cell, monkeypatch):
    """With less time than pages have, so that the test takes less as well."""
    monkeypatch.setattr(page, "MAX_SECONDS_OF_PART", 0.3)
    start = time.process_time()
    text = export(cell, markdown("An *honest* cell."))
    assert time.process_time() - start < 8
    assert "<em>honest</em>" in text
    assert len(text) < page.MAX_PAGE


def test_many_slow_cells_take_as_long_as_a_few(monkeypatch):
    monkeypatch.setattr(page, "MAX_SECONDS_OF_PART", 0.2)
    monkeypatch.setattr(page, "MAX_SECONDS", 1.0)
    start = time.process_time()
    body = container(export(*[markdown("*a_ " * 2_000 + "*a" * 3_000)] * 40))
    assert time.process_time() - start < 6
    assert len(body("pre")) == 40  # as they were written


@pytest.mark.parametrize(
    "cell",
    [
        printed("\x1b[38mone\x1b[48m"),
        printed("\x1b[38;5mone"),
        displayed("one<![if x]>"),
        displayed("<p>one<![x]]></p>"),
        markdown("one<![x]]>"),
        displayed("one<![CDATA[ <!DOCTYPE [ <!"),
        markdown("one ![gone](attachment:gone.png)"),
        markdown("one ![gone](attachment:%ff%00.png) ![](attachment:)"),
        new_raw_cell("one<![x"),
        displayed("one $x$<![", "text/markdown"),
    ],
)
def test_what_a_parser_cannot_read_costs_no_more_than_its_part(cell):
    body = container(export(markdown("before"), cell, markdown("after")))
    assert "before" in body.text and "after" in body.text
    assert "one" in body.text or "[This output cannot be shown here.]" in body.text


@pytest.mark.parametrize("content", [5, None, ["<b>"], {"a": 1}, "", "no base64"])
@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml", "text/html", "text/latex"])
def test_content_of_no_kind_that_there_is(content, kind):
    odd = displayed("x", "text/plain")
    odd.outputs[0].data[kind] = content
    assert "after" in export(odd, markdown("after"))


def test_an_empty_cell_is_empty():
    for text in ("", "<script>draw()</script>", "[a]: https://a.org"):
        assert not container(export(markdown(text)))("pre")


def test_prints_keep_their_colours_and_their_text_without():
    assert '<span class="ansi-red-fg">red</span>' in export(printed("\x1b[31mred\x1b[0m <b>"))
    text = export(printed("\x1b[31mred\x1b[38m <b>"))
    assert "red &lt;b&gt;" in text and "\x1b" not in text


@pytest.mark.parametrize("language, coloured", [("ipython3", True), ("R", True), ("qvto", False)])
def test_code_is_highlighted_in_known_languages(language, coloured):
    for cell in (shown("f(1)"), markdown(f"```{language}\nf(1)\n```")):
        code = container(export(cell, language=language)).find("pre")
        assert code.text.strip() == "f(1)"
        assert bool(code("span", class_=["mi", "m"])) is coloured


def test_nothing_touches_markup_after_it_was_cleaned(monkeypatch):
    """A browser and a parser read this in two ways; nbconvert would write it anew."""
    odd = "<p title=a>x<p>y</br>&nbsp;<svg></p><style><a id='</style>'>"
    monkeypatch.setattr(sanitize, "sanitized", lambda *_: odd)
    assert export(displayed("x"), markdown("x")).count(odd) == 2
    assert odd in export(displayed("x", "text/markdown"))


def test_a_submission_cannot_name_the_parts_of_a_page(monkeypatch):
    monkeypatch.setattr(page.secrets, "token_hex", lambda _: "0" * 32)
    guess = f"part{'0' * 32}n0n"  # even if it were told
    body = container(export(markdown("first"), shown("x = 1"), markdown(guess)))
    assert body.text.count("first") == 1


def test_an_output_is_laid_out_in_bounds():
    cell = "<td colspan=1000 rowspan=9 width=99999999 height='4000%'>x</td>"
    table = container(export(displayed(f"<table><tr>{cell * 4}</tr></table>"))).find("td")
    assert not {"colspan", "rowspan"} & set(table.attrs)
    assert (table["width"], table["height"]) == ("2000", "100%")
    honest = container(export(displayed("<table><td colspan=20 rowspan=60 width='50%'>x")))
    assert honest.td.attrs == {"colspan": "20", "rowspan": "60", "width": "50%"}
    sizes = {"image/png": {"width": 10**9, "height": True}}
    plot = new_output("display_data", {"image/png": png()}, metadata=sizes)
    image = container(export(shown("", plot))).img
    assert not {"width", "height"} & set(image.attrs)


@pytest.mark.parametrize(
    "text",
    ["<b>x</b>" * 4_000, "a\n" * 8_000, "漢" * 19_000],
    ids=["elements", "lines", "other scripts"],
)
def test_a_page_has_no_more_parts_than_a_browser_lays_out(text, monkeypatch):
    monkeypatch.setattr(page, "MAX_PARTS", 20_000)
    cells = [displayed(text), printed(text), markdown(text)] * 3
    body = container(export(*cells, markdown("The *last* word.")))
    assert "[Not shown: this page would become too large.]" in body.text
    assert page.parts(str(body)) < 21_000
    assert body("em")[-1].text == "last"


def test_an_honest_page_has_room_for_its_tables_and_prints():
    row = f"<tr>{'<td>0.25</td>' * 20}</tr>"
    cells = [displayed(f"<table class='dataframe'>{row * 60}</table>"), printed("epoch\n" * 500)]
    text = export(*cells * 15)
    assert text.count('<table class="dataframe">') == 15
    assert "Not shown" not in text


def test_pictures_that_would_fill_the_memory_are_not_shown():
    drawing = pictures.MAX_SHAPES // 2
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{"<path/>" * drawing}</svg>'
    body = container(export(*[displayed(svg, "image/svg+xml")] * 3))
    assert len(body("img")) == 1
    assert body.text.count("[This picture cannot be shown here.]") == 2


# What formulas may do.


@pytest.mark.parametrize("exporter", [CleanExporter, feedback.FeedbackExporter])
def test_formulas_hold_links_where_text_does(exporter, monkeypatch):
    monkeypatch.setattr(feedback.FeedbackExporter, "_repairs", lambda *_: [])
    soup = BeautifulSoup(export(markdown("$x$"), exporter=exporter), "html.parser")
    (script,) = [each for each in soup("script") if "Safe" in (each.string or "")]
    assert script["type"] == "text/x-mathjax-config"
    assert f'"URLs": "{"safe" if exporter.links else "none"}"' in script.string


def test_a_page_sets_a_bounded_number_of_formulas():
    """What is beyond is shown as it was written; text that has none is as it was."""
    some = "$x$ $$y$$ " * 150
    body = container(export(displayed(some, "text/latex"), *[markdown(some)] * 4, markdown("$5")))
    assert body.find(class_="output_latex")
    unset = body(class_="tex2jax_ignore")
    assert len(unset) == 2  # 300 formulas each
    assert all("$x$" in each.text for each in unset)
    some = displayed(some * 4, "text/latex")
    assert not container(export(some)).find(class_="output_latex")
    assert formulas.count("It costs $5 \\(x\\) \\[y\\] \\begin{align} \\ref{a}") == 5


def test_a_picture_by_any_name_that_jupyter_or_a_student_writes(tmp_path):
    """See also test_pictures."""
    cell = markdown("![a](attachment:my%20plot.png) and ![b](attachment:gone.png), **then** text")
    cell.attachments = {"my plot.png": {"image/png": png()}}
    body = container(export(cell, path=tmp_path))
    assert [image["alt"] for image in body("img")] == ["a"]
    assert "and [This picture cannot be shown here.], then text" in body.text
    assert body.find("strong")


def test_links_of_a_page_do_not_tell_where_it_lies():
    link = container(export(markdown("[a](https://a.org/b)"))).find("a", href="https://a.org/b")
    assert link["rel"] == ["noopener", "noreferrer"]


def test_slow_text_is_escaped_wherever_it_stands():
    turns = "a\u05d0" * 2_500
    entities = "a&#x5d0;" * 2_500
    cells = [printed(turns), shown(f"'{turns}'"), markdown(turns), markdown(entities)]
    cells += [displayed(entities), displayed(turns, "text/markdown")]
    text = export(*cells)
    assert "\u05d0" not in text
    assert len(re.findall(r"(?:a\\u05d0){2500}", container(text).text)) >= 5
