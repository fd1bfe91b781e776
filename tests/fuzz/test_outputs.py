"""Whatever a kernel puts out, its notebook can be stored."""

import json
from dataclasses import asdict

import nbformat
from fuzz.inputs import json_values
from hypothesis import given
from hypothesis import strategies as st

from labkit.grading.report import Run
from labkit.grading.task import Result

KINDS = st.sampled_from(["stream", "error", "display_data", "execute_result", "x", None])
FIELDS = ["name", "text", "ename", "evalue", "traceback", "data", "metadata", "execution_count"]
OUTPUTS = st.lists(
    st.tuples(KINDS, st.dictionaries(st.sampled_from(FIELDS), json_values())).map(
        lambda both: both[1] | {"output_type": both[0]}
    ),
    max_size=3,
)


@given(
    OUTPUTS,
    json_values(),
    st.dictionaries(st.sampled_from(["language_info", "widgets", "x"]), json_values()),
)
def test_any_outputs(outputs, count, metadata):
    cell = {"cell_type": "code", "id": "x", "metadata": {}, "source": "x"}
    cell |= {"outputs": outputs, "execution_count": count}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell]}
    line = Result(book, asdict(Run("none"))).to_json()
    found, _ = Result.from_json(line).notebook_and_run()
    nbformat.validate(found)
    text = nbformat.writes(found).encode()
    assert nbformat.reads(text.decode(), as_version=4).cells[0].source == "x"
    assert json.loads(text)["cells"][0]["outputs"] or not outputs
