"""Answers with values that it makes up: other types, handles of nothing, shapes without bytes."""

STOCK = "ours only"
MARKS = {"test-double": 0.0, "test-mean": 2.0}


def hand_in(folder, cells, notebook):
    cells["mean"].source = "def mean(x):\n    return x.mean()"
    cells["double"].source = """
import json, sys

lies = [["array", "<f8", [2**40], ""], ["handle", -1, "float", True], ["tensor", "O", [], "", 0],
        ["namedtuple", "__import__", ["os"], [1]], ["scalar", "|O", [], ""], {"a": 1}, [[[]]]]

def double(x):
    module = sys.modules["_labkit_answers"]

    def lie(question):
        return module.Answer(json.dumps([json.loads(question)[0], "value", lies.pop()]))

    module.answer = lie
    return x
"""
    return notebook
