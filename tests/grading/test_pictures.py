"""Pictures of a submission: what an <img> may name, and which can be shown."""

import base64
import io
import unicodedata
import zlib
from html import escape
from urllib.parse import quote

import pytest
from grading.made_page import container, export, png
from nbformat.v4 import new_markdown_cell
from PIL import Image

from labkit.grading import pictures
from labkit.grading.pictures import Pictures

SPACE = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def encoded(content):
    return base64.b64encode(content).decode()


def picture(form, **options):
    file = io.BytesIO()
    Image.new("RGB", (5, 4)).save(file, form, **options)
    return encoded(file.getvalue())


def svg(body):
    return f"<svg {SPACE} width='9' height='9'>{body}</svg>"


def huge_png(side):
    """A few bytes that are a picture of that size."""
    size = side.to_bytes(4, "big") * 2
    header = b"IHDR" + size + b"\1\0\0\0\0"
    check = zlib.crc32(header).to_bytes(4, "big")
    start = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + check
    return encoded(start + b"\0\0\0\1IDAT\0" + zlib.crc32(b"IDAT\0").to_bytes(4, "big"))


NAMES = ["plot.png", "my plot.png", "Skizze_ä.png", "a%20b.png", "100%.png", "a (1).png", "a(.png"]
NAMES += [
    "it's.png",
    'say "a".png',
    "PLOT.PNG",
    "image",
    "naïve façade.jpeg",
    "x[1].png",
    "日本.png",
]


BROWSERS = "!'()*~"  # leave these as they are
SPELLINGS = {
    "as in an address": lambda name: f"![a](attachment:{quote(name)})",
    "by a browser": lambda name: f"![a](attachment:{quote(name, safe=BROWSERS)})",
    "raw": lambda name: f'![a](attachment:{name} "a title")',
    "in brackets": lambda name: f"![a](<attachment:{name}>)",
    "by reference": lambda name: f"![a][here]\n\n[here]: attachment:{name}",
    "HTML": lambda name: f'<img alt="a" src="attachment:{escape(name)}">',
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_an_attachment_by_its_name(spelled, tmp_path):
    cells = []
    for name in NAMES:
        cells.append(new_markdown_cell(f"**Before** {spelled(name)}\n\nafter"))
        cells[-1].attachments = {name: {"image/png": png()}, "other.png": {"image/png": png(9)}}
    shown = container(export(*cells, path=tmp_path))(class_="text_cell_render")
    for name, cell, body in zip(NAMES, cells, shown, strict=True):
        address = f"data:image/png;base64,{cell.attachments[name]['image/png']}"
        assert [(image["alt"], image["src"]) for image in body("img")] == [("a", address)], name
        assert body.find("strong") and "after" in body.text


def test_an_attachment_whose_letters_are_composed_in_another_way(tmp_path):
    composed, apart = (unicodedata.normalize(form, "ä.png") for form in ("NFC", "NFD"))
    assert composed != apart
    for held, named in ((composed, apart), (apart, composed)):
        attached = {held: {"image/png": png()}}
        assert Pictures(tmp_path).address(f"attachment:{named}", attached, 10**6)


def test_kinds_of_attachments(tmp_path):
    page = Pictures(tmp_path)
    kinds = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp"}
    for form, kind in kinds.items():
        content = picture(form)
        lines = "\n".join(content[at : at + 76] for at in range(0, len(content), 76)) + "\n"
        held = {"a": {f"image/{kind}": lines}}
        assert page.address("attachment:a", held, 10**6) == f"data:image/{kind};base64,{content}"
    drawn = svg("<path d='M0 0'/>")
    for held in (drawn, encoded(drawn.encode())):
        found = page.address("attachment:a", {"a": {"image/svg+xml": held}}, 10**6)
        assert found == f"data:image/svg+xml;base64,{encoded(drawn.encode())}"
    both = {"a": {"image/png": picture("PNG"), "image/svg+xml": drawn}}
    assert page.address("attachment:a", both, 10**6).startswith("data:image/svg+xml;")


@pytest.mark.parametrize(
    "kind, content",
    [
        ("png", "no base64"),
        ("png", '" onerror="x'),
        ("png", encoded(b"no picture")),
        ("png", picture("BMP")),  # a browser would show it, whatever it is called
        ("png", picture("JPEG")),
        ("png", encoded(svg("").encode())),
        ("avif", picture("PNG")),
        ("svg+xml", "no XML"),
        ("svg+xml", picture("PNG")),
        ("svg+xml", ""),
    ],
)
def test_what_is_no_picture_of_its_kind(kind, content, tmp_path):
    assert not Pictures(tmp_path).can_be_shown(kind, content)


def test_an_address_is_in_base64(tmp_path):
    page = Pictures(tmp_path)
    assert page.can_be_shown("svg+xml", svg(""))
    assert page.address(f"data:image/svg+xml;base64,{svg('')}", {}, 10**6) is None
    assert page.address(f"data:image/png;base64,{png()}", {}, 10**6)


def test_pictures_of_a_page_have_a_bounded_number_of_pixels(tmp_path):
    page = Pictures(tmp_path)
    assert not page.can_be_shown("png", huge_png(30_000))
    assert not page.can_be_shown("png", huge_png(2**31 - 1))
    assert [page.can_be_shown("png", huge_png(7_000)) for _ in range(3)] == [True, True, False]
    assert page.can_be_shown("png", png())  # there is some room for small ones
    inside = f'<image xlink:href="data:image/png;base64,{huge_png(30_000)}"/>'
    assert not page.can_be_shown("svg+xml", svg(inside))
    assert page.can_be_shown("svg+xml", svg(f'<image href="data:image/png;base64,{png()}"/>'))


def bomb(depth, use="use", link="xlink:href"):
    """A drawing that draws each part ten times in the next."""
    parts = [
        f'<g id="g{n + 1}">{f"<{use} {link}={chr(34)}#g{n}{chr(34)}/>" * 10}</g>'
        for n in range(depth)
    ]
    return svg(f"<defs><path id='g0'/>{''.join(parts)}</defs>")


ENTITIES = '<!DOCTYPE svg [<!ENTITY a "<path/><path/>"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    "drawing",
    [
        bomb(6),
        bomb(6, link="href"),
        bomb(6, "s:use", "s:href").replace("<svg", '<svg xmlns:s="http://www.w3.org/2000/svg"', 1),
        svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'),
        svg("<g>" * 200 + "</g>" * 200),
        svg("<path/>" * (pictures.MAX_SHAPES + 1)),
        svg(f"<text>{'x' * pictures.MAX_SHAPES}</text>"),
        svg('<filter id="f"><feGaussianBlur stdDeviation="500"/></filter>'),
        svg('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>'),
        svg(f'<marker id="m">{"<path/>" * 30}</marker><path marker-mid="url(#m)"/>'),
        ENTITIES + svg("&b;"),
        svg(f'<image href="data:image/svg+xml;base64,{encoded(bomb(6).encode())}"/>'),
        svg('<image href="data:image/avif;base64,AAAA"/>'),
        svg('<image href="data:,x"/>'),
    ],
)
def test_drawings_that_a_browser_draws_for_a_long_time(drawing, tmp_path):
    assert not Pictures(tmp_path).can_be_shown("svg+xml", drawing)


@pytest.mark.parametrize(
    "drawing",
    [
        svg('<defs><path id="l" d="M 1 1"/></defs>' + '<use xlink:href="#l" x="1"/>' * 5_000),
        '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD '
        'SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
        + svg('<clipPath id="c"><rect/></clipPath><pattern id="h"><rect/><path/></pattern>'),
        svg('<marker id="arrow"><path/></marker><path marker-end="url(#arrow)"/><text>ä</text>'),
        svg('<a xlink:href="https://a.org"><use href="other.svg#x"/></a>'),
    ],
    ids=["letters", "header", "arrows", "links"],
)
def test_honest_drawings_are_shown(drawing, tmp_path):
    assert Pictures(tmp_path).can_be_shown("svg+xml", drawing)


def test_a_plot_of_matplotlib_is_shown(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots()
    axes.scatter(range(200), range(200))
    axes.bar([1, 2], [3, 4], hatch="/")
    axes.imshow([[0, 1], [1, 0]])
    axes.set_title("Loss of $x^2$, größer")
    figure.savefig(tmp_path / "plot.svg")
    plt.close(figure)
    assert Pictures(tmp_path).can_be_shown("svg+xml", (tmp_path / "plot.svg").read_text("utf-8"))
    assert Pictures(tmp_path).address("plot.svg", {}, 10**6)


@pytest.mark.parametrize(
    "name", ["my plot.png", "Skizze_ä.PNG", "100%.png", "a (1).png", "sub/x.png"]
)
def test_a_file_beside_the_notebook(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(base64.b64decode(png()))
    for source in (name, quote(name), f"./{quote(name)}"):
        assert Pictures(tmp_path).address(source, {}, 10**6).startswith("data:image/png;base64,")
    assert Pictures(tmp_path).address(name, {}, 100) is None  # there is no room for it
