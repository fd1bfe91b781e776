"""Whatever a kernel says, its notebook can be stored, and a test does not pass by it."""

import json
import time
from dataclasses import asdict

import nbformat
import pytest
from nbformat.v4 import new_output

from labkit.grading.outputs import MAX_LINES, MAX_OUTPUTS, tidied
from labkit.grading.report import Run
from labkit.grading.task import Result

# As the judge writes them, and as honest code puts them out: nothing of it changes.
RIGHT = [
    [],
    [new_output("stream", name="stdout", text="a\nb\0\x1b[0m\x85\u2028 😀")],
    [new_output("stream", name="stderr", text=["a\n", "b"])],
    [new_output("error", ename="E", evalue="why", traceback=["x", "y"])],
    [new_output("execute_result", data={"text/plain": "0.5"}, execution_count=None)],
    [new_output("execute_result", data={"text/plain": "0.5"}, execution_count=3)],
    [new_output("display_data", data={"image/png": "AAAA", "text/plain": ["a\n", "b"]})],
    [new_output("display_data", data={"application/vnd.x+json": {"a": [1, None]}})],
    [new_output("display_data", data={"application/json": float("inf")}, metadata={"x": 1})],
]


def came_back(notebook, run=None):
    """What the process that writes makes of what a worker says."""
    line = Result(json.loads(json.dumps(notebook)), run or asdict(Run("none"))).to_json()
    assert line.isascii() and "\n" not in line
    return Result.from_json(line).notebook_and_run()


def stored(notebook):
    """As nbgrader reads it again."""
    nbformat.validate(notebook)
    return nbformat.reads(nbformat.writes(notebook).encode().decode(), as_version=4)


def of_outputs(outputs, count=None, **metadata):
    cell = {"cell_type": "code", "id": "x", "metadata": {}, "source": "x", "outputs": outputs}
    cells = [cell | {"execution_count": count}]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


@pytest.mark.parametrize("outputs", RIGHT)
def test_what_is_right_comes_back_as_it_was(outputs):
    book, run = came_back(of_outputs(outputs), asdict(Run("bubblewrap", ["a flag"], 1.0)))
    assert run == Run("bubblewrap", ["a flag"], 1.0)
    texts = json.dumps(stored(nbformat.from_dict(of_outputs(outputs))).cells[0].outputs)
    assert json.dumps(stored(book).cells[0].outputs) == texts


HALF = "\ud800"


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "error", "ename": HALF, "evalue": HALF, "traceback": [HALF]},
        {"output_type": "stream", "name": "stdout", "text": HALF},
        {"output_type": "display_data", "data": {HALF: HALF}, "metadata": {HALF: [HALF]}},
    ],
)
def test_half_a_character_becomes_a_question_mark(output):
    book, _ = came_back(of_outputs([output]))
    assert "?" in nbformat.writes(stored(book))


ODD = [
    {"output_type": "stream", "name": "stdout", "text": 5},
    {"output_type": "stream", "name": 5, "text": None},
    {"output_type": "stream", "text": ["a", 5], "more": 1},
    {"output_type": "error", "ename": 5, "evalue": {"a": 1}, "traceback": None},
    {"output_type": "error", "traceback": [1, "x"]},
    {"output_type": "display_data", "data": {"text/plain": 5, "text/html": None}, "metadata": None},
    {"output_type": "display_data", "data": {"application/x": {"a": 1}}},
    {"output_type": "display_data", "data": [1]},
    {"output_type": "display_data", "transient": {"display_id": "x"}},
    {"output_type": "execute_result", "data": {}, "execution_count": "x"},
    {"output_type": "execute_result", "data": {}, "execution_count": True},
    {"output_type": "update_display_data", "data": {}},
    {},
]


@pytest.mark.parametrize("output", ODD)
def test_what_has_no_form_is_given_one(output):
    (found,) = stored(came_back(of_outputs([output]))[0]).cells[0].outputs
    if output.get("output_type") in ("stream", "error", "execute_result"):
        assert found.output_type == output["output_type"]


def test_what_is_no_output_fails_a_test_that_ran_in_the_kernel():
    """nbgrader gives all points to a test without an error."""
    (found,) = came_back(of_outputs([{"output_type": "?"}]))[0].cells[0].outputs
    assert (found.output_type, found.name) == ("stream", "stderr")


@pytest.mark.parametrize("language", [{"name": 5}, [1], None, {"codemirror_mode": 5, "x": [[]]}])
def test_a_kernel_that_says_odd_things_of_itself(language):
    book = stored(came_back(of_outputs([], language_info=language, widgets=[[]] * 20_000))[0])
    assert (book.metadata.language_info.name, "widgets" in book.metadata) == ("python", False)
    assert stored(came_back(of_outputs([], "seven"))[0]).cells[0].execution_count is None


def test_data_without_end_goes_and_its_picture_stays():
    deep = wide = [0]
    for _ in range(300):
        deep = [deep]
    data = {"a/json": deep, "b+json": wide * 20_000, "c+json": {"x": 10**100}, "image/png": "AA"}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    (found,) = came_back(of_outputs([output]))[0].cells[0].outputs
    assert found.data == {"image/png": "AA"}


def a_cell(outputs):
    return {"cell_type": "code", "id": "x", "metadata": {}, "outputs": outputs, "source": ""}


SHOWN = {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}}
VERDICT = [
    {"output_type": "stream", "name": "stdout", "text": "x"},
    SHOWN | {"output_type": "execute_result", "execution_count": None},
]


def test_outputs_without_end():
    lines = [
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["x"] * 30_000},
        SHOWN | {"data": {"text/plain": "\n" * 10**6}},
    ]
    cells = [a_cell(each) for each in ([SHOWN] * 100_000, lines, VERDICT)]
    cells.append({"cell_type": "markdown", "id": "x", "metadata": {}, "source": "x"})
    line = Result({"metadata": {}, "cells": cells}, asdict(Run("none"))).to_json()
    assert len(line) < 10**6
    began = time.process_time()
    found, run = Result.from_json(line).notebook_and_run()
    assert time.process_time() - began < 2
    assert run.flags == ["A cell had more than 1000 outputs: the rest was left out."]
    assert [len(cell.get("outputs", ())) for cell in found.cells] == [1001, 2, 2, 0]
    assert found.cells[0].outputs[-1].name == "stderr"
    assert len(found.cells[1].outputs[0].traceback) == 1000
    assert found.cells[1].outputs[1].data["text/plain"].count("\n") == MAX_LINES
    assert found.cells[2].outputs == VERDICT


def test_many_outputs_in_many_cells():
    cells = [a_cell(VERDICT * 50) for _ in range(1300)]
    found, _ = tidied({"metadata": {}, "cells": cells})
    assert sum(len(cell["outputs"]) for cell in found["cells"]) == 1300 * 5 < MAX_OUTPUTS * 2
    assert all(cell["outputs"][:2] == VERDICT for cell in found["cells"])
