"""Files that are nearly right, and what may come of reading one."""

import copy
import json
import math
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from hypothesis import strategies as st

from labkit.errors import InputError

LONGEST = 1500  # characters of a message: a sentence or two with a path or two
SECONDS = 10  # for one reading; a hundred times what any takes on a machine at leisure

ODD_TEXT = [
    *["", " ", "\0", "..", "../x", "a/b", "a\\b", "\ufeff", "\x85", "\u2028", "\ud800", "nan"],
    *["x" * 300, "-1", "1e999", "²", "٣", "1_0", "0x1", "9" * 5000, "[" * 5000, "{", "\n", "é"],
]
ODD_NUMBERS = [0, 1, -1, 2, 17, 255, 2**31, 2**63, 10**400, 0.5, 1e308, math.nan, math.inf]


@contextmanager
def within(seconds=SECONDS):
    """Ends what takes longer, also where it would never end."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_):
        raise TimeoutError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def assert_sentence(message, *names):
    """Fit for a person: something, on one line, that ends, and names what was given."""
    assert message.strip()
    assert message.isprintable(), message
    assert len(message) <= LONGEST, message
    for name in names:
        assert str(name) in message


def result_or_refusal(read, *names):
    """What `read` gives, or None where it refuses; whatever else it raises goes on."""
    began = time.monotonic()
    try:
        with within():
            return read()
    except InputError as error:
        assert_sentence(str(error), *names)
        return None
    finally:
        assert time.monotonic() - began < SECONDS


@contextmanager
def folder():
    """A new one for each example; pytest's would be the same for all."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        yield Path(name)


@st.composite
def damaged(draw, content, most=4):
    """Bytes of a good file, cut, flipped, repeated, left out or overwritten in places."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        end = min(len(content), at + draw(st.sampled_from([1, 2, 4, 8, 64, 4096])))
        match draw(st.sampled_from(["cut", "flip", "repeat", "drop", "put", "overwrite"])):
            case "cut":
                del content[at:]
            case "flip" if content:
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "repeat":
                content[at:at] = content[at:end]
            case "drop":
                del content[at:end]
            case "put":
                content[at:at] = draw(st.binary(max_size=16))
            case "overwrite":
                extremes = [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"]
                content[at : at + 4] = draw(st.sampled_from(extremes))
    return bytes(content)


@st.composite
def text_files(draw, lines):
    """A text of good lines, some of them spoilt, in some encoding: the file's bytes."""
    lines = list(lines)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(lines) - 1, 0)))
        line = lines[at] if lines else ""
        fields = line.split(" ")
        match draw(st.sampled_from(["twice", "drop", "field", "blanks", "less", "more", "junk"])):
            case "twice":
                lines.insert(at, line)
            case "drop":
                del lines[at : at + 1]
            case "field":
                fields[draw(st.integers(0, len(fields) - 1))] = draw(st.sampled_from(ODD_TEXT))
                lines[at : at + 1] = [" ".join(fields)]
            case "blanks":
                blank = draw(
                    st.sampled_from(["  ", "\t", " \t ", "\u3000", "\xa0", "\x0b", "\x1f"])
                )
                lines[at : at + 1] = [blank + blank.join(fields) + blank]
            case "less":
                lines[at : at + 1] = [" ".join(fields[:-1])]
            case "more":
                lines[at : at + 1] = [f"{line} {draw(st.sampled_from(ODD_TEXT))}"]
            case "junk":
                lines.insert(at, draw(st.text(max_size=20)))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "latin-1"]))
    content = text.encode(encoding, "replace")
    return draw(damaged(content, 2)) if draw(st.integers(0, 4)) == 0 else content


def json_values():
    """Anything that JSON can say, and Python's json can read."""
    plain = (
        st.none()
        | st.booleans()
        | st.sampled_from(ODD_NUMBERS)
        | st.sampled_from(ODD_TEXT)
        | st.integers()
        | st.text(max_size=5)
    )
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=5,
    )


def _places(tree, found):
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            found.append((tree, key))
            _places(tree[key], found)
    return found


@st.composite
def altered(draw, tree, most=4):
    """A JSON tree with parts replaced, left out, repeated or exchanged."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, most))):
        places = _places(tree, [])
        if not places:
            break
        parent, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["replace", "drop", "repeat", "exchange", "add"])):
            case "replace":
                parent[key] = draw(json_values())
            case "drop":
                del parent[key]
            case "repeat" if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(parent[key]))
            case "exchange":
                other, place = places[draw(st.integers(0, len(places) - 1))]
                parent[key] = copy.deepcopy(other[place])
            case "add" if isinstance(parent, dict):
                parent[draw(st.text(max_size=5))] = draw(json_values())
    return tree


@st.composite
def json_files(draw, tree):
    """The bytes of a file of JSON that is nearly right: altered in meaning, and now and then in
    its bytes."""
    tree = draw(altered(tree))
    content = json.dumps(tree, indent=1).encode("utf-8", "replace")
    return draw(damaged(content, 2)) if draw(st.integers(0, 4)) == 0 else content
