"""What a file below the limits can cost the one process that the whole class waits for.

Before these were bounded, 100,000 outputs of an old format took 51 s of CPU, 30,000 outputs 18 s,
deep and wide metadata 16 s, and twenty million lines 9 s and two gigabytes of memory.
`PYTHONPATH=tests python tests/grading/test_triage_bounds.py` prints what larger ones take.
"""

import copy
import json
import sys
import tempfile
import time
from pathlib import Path

import pytest
from grading import tiny_course as tiny

from labkit.grading.triage import MAX_CELLS, examine

MASTER = tiny.handed_in("pass", "pass", "*Your answer*")
SECONDS = 2  # of CPU; none takes half a second on a machine at leisure


def changed(change) -> str:
    book = json.loads(json.dumps(tiny.handed_in()))
    change(book, book["cells"])
    return json.dumps(book)


def code(source="x", **fields):
    made = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return made | {"execution_count": None} | fields


def nested(depth, width):
    tree = [0] * width
    for _ in range(depth):
        tree = [tree]
    return tree


def shown(number):
    output = {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}}
    return [output] * number


def old(number, outputs=()):
    cell = {"cell_type": "code", "input": "x", "language": "python", "metadata": {}}
    sheets = [{"cells": [cell | {"outputs": list(outputs)}] * number}]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": sheets})


def copies(cells, each):
    cells += [copy.deepcopy(each) for _ in range(MAX_CELLS - len(cells))]


def taken(cells):
    """Each name that could be given to a cell without one, and longer ones of the same."""
    cells += [code(id=f"cell-{n % 40}" + "-" * (n // 40)) for n in range(490)]
    cells += [code() for _ in range(490)]


def attached(number):
    return {f"{n}.png": {"image/png": "AAAA"} for n in range(number)}


def worst(n: int = 1) -> dict:
    """Texts by name, made when they are needed; n: how much larger those are that grow."""
    return {
        "outputs": lambda: changed(lambda _, c: c[0].update(outputs=shown(30_000 * n))),
        "a damaged output": lambda: changed(lambda _, c: c[0].update(outputs=[*shown(30_000), {}])),
        "numbers as outputs": lambda: changed(lambda _, c: c[0].update(outputs=[1] * 10**6 * n)),
        "printed braces": lambda: changed(
            lambda _, c: c[0].update(
                outputs=[{"output_type": "stream", "name": "stdout", "text": "{}" * 10**6 * n}]
            )
        ),
        "deep and wide metadata": lambda: changed(
            lambda _, c: c[1]["metadata"].update(x=nested(200, 500_000))
        ),
        "deep and wide metadata of the notebook": lambda: changed(
            lambda b, _: b["metadata"].update(x=nested(200, 500_000))
        ),
        "keys of metadata": lambda: changed(
            lambda b, _: b["metadata"].update(x={str(i): 1 for i in range(200_000)})
        ),
        "keys of a notebook": lambda: changed(
            lambda b, _: b.update((str(i), 1) for i in range(200_000))
        ),
        "keys of a cell": lambda: changed(
            lambda _, c: c[0].update((str(i), 1) for i in range(200_000))
        ),
        "more keys than are read": lambda: changed(
            lambda b, _: b.update((str(i), 1) for i in range(1_000_000))
        ),
        "lists": lambda: '{"nbformat": 4, "cells": [' + "[]," * 4 * 10**6 * n + "[]]}",
        "large metadata in all cells": lambda: changed(
            lambda _, c: c.extend(code(metadata={"x": [[]] * 500}) for _ in range(980))
        ),
        "damaged metadata in all cells": lambda: changed(
            lambda _, c: c.extend(code(metadata={"tags": [1, 1]}) for _ in range(980))
        ),
        "long numbers": lambda: changed(
            lambda _, c: c[0]["metadata"].update(x=["@"] * 1000 * n)
        ).replace('"@"', "9" * 4290),
        "attachments": lambda: changed(lambda _, c: c[-1].update(attachments=attached(100_000))),
        "an attachment in lines": lambda: changed(
            lambda _, c: c[-1].update(attachments={"a.png": {"image/png": ["A"] * 10**6 * n}})
        ),
        "lines": lambda: changed(lambda _, c: c.append(code("\n" * 4 * 10**6 * n))),
        "lines in a list": lambda: changed(lambda _, c: c.append(code(["\n"] * 10**6 * n))),
        "a long line": lambda: changed(lambda _, c: c.append(code("x" * 4 * 10**6 * n))),
        "copies of an answer": lambda: changed(lambda _, c: copies(c, c[3])),
        "copies of a test": lambda: changed(lambda _, c: copies(c, c[4])),
        "backwards": lambda: changed(lambda _, c: (copies(c, c[3]), c.reverse())),
        "names that are taken": lambda: changed(lambda _, c: taken(c)),
        "cells": lambda: changed(lambda _, c: c.extend([code()] * 20_000 * n)),
        "cells of an old format": lambda: old(900),
        "more cells of an old format": lambda: old(20_000 * n),
        "outputs of an old format": lambda: old(1, [{"output_type": "x"}] * 100_000 * n),
        "half characters": lambda: changed(lambda _, c: c.append(code("@" * 10**6 * n))).replace(
            "@", r"\ud800"
        ),
        "conflicts": lambda: "<<<<<<<" * 10**6 * n,
        "strings that do not end": lambda: '{"' + r"\"" * 4 * 10**6 * n + "[" * 10**6,
    }


def measured(make, folder: Path):
    """Seconds of CPU of one examination, with what nbgrader then has to read; and its result."""
    (path := folder / "lab.ipynb").write_text(make())
    began = time.process_time()
    found = examine(path, MASTER)
    text = json.dumps(found.notebook)
    return time.process_time() - began, found, len(text)


@pytest.mark.parametrize("name", worst())
def test_no_file_takes_long(name, tmp_path):
    seconds, found, size = measured(worst()[name], tmp_path)
    assert seconds < SECONDS
    assert size < 25_000_000
    assert all(len(sentence) < 400 for sentence in [*found.repairs, found.reason or ""])
    assert len(found.repairs) < 10


def main() -> None:
    for name, make in worst(5).items():
        with tempfile.TemporaryDirectory() as folder:
            seconds, found, size = measured(make, Path(folder))
            before = (Path(folder) / "lab.ipynb").stat().st_size / 1e6
            said = (found.reason or " ".join(found.repairs))[:60]
            print(f"{name:40}{before:6.1f} MB {seconds:6.2f} s {size / 1e6:6.1f} MB left  {said}")


if __name__ == "__main__":
    sys.exit(main())
