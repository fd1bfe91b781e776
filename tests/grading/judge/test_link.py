"""Questions to a real kernel, honest and not."""

import time

import numpy as np
import pytest
import torch
from jupyter_client.manager import start_new_kernel

from labkit.grading.judge.link import LinkBroken
from labkit.grading.judge.namespace import Handle, HandleMisuse, Names
from labkit.grading.judge.run import judge


@pytest.fixture
def names(kernel):
    """Names of a fresh test; `run` executes student code first."""
    manager, client = kernel
    client.execute_interactive("%reset -f", silent=True, timeout=20)
    made = Names(connection(manager), 20, {})
    made.run = lambda code: client.execute_interactive(code, timeout=20, output_hook=lambda _: 0)
    yield made
    made.link.close()


def connection(manager):
    info = manager.get_connection_info()
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in info.items()}


class own:
    """Namespace with a kernel of its own that may be ended."""

    def __enter__(self):
        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.connection = connection(self.manager)
        return self

    def run(self, code):
        return self.client.execute_interactive(code, timeout=20, output_hook=lambda _: 0)

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def test_values_of_names_and_calls(names):
    names.run("import numpy as np\na = [1, (2.5, 'x')]\ndef f(x, *, y=1):\n    return x * y")
    assert names["a"] == [1, (2.5, "x")]
    assert names["f"](3) == 3
    assert names["f"](np.arange(3), y=2).tolist() == [0, 2, 4]
    assert torch.equal(names["f"](torch.ones(2), y=3), torch.full((2,), 3.0))


def test_a_name_that_is_nowhere_is_a_name_error(names):
    with pytest.raises(NameError, match="'nowhere' is not defined"):
        names["nowhere"]


def test_builtins_are_pythons_own(names):
    names.run("def sum(x):\n    return 42")
    exec("found = sum([1, 2])", names)
    assert names["found"] == 3


def test_functions_of_a_test_see_the_same_names(names):
    names.run("def f(x):\n    return x + 1")
    exec("def g():\n    return [f(i) for i in range(3)]\nfound = g()", names)
    assert names["found"] == [1, 2, 3]


def test_handles_are_read_and_come_back(names):
    names.run("class A:\n    x = [1, 2]\n    def up(self, n):\n        self.n = n; return self\n")
    names.run("def n_of(a):\n    return a.n\nobjects = {'a': A()}.values()")
    a = names["A"]()
    assert a.x == [1, 2]
    assert names["n_of"](a.up(5)) == 5
    assert a.n == 5
    assert len(names["objects"]) == 1
    assert [type(one) for one in names["objects"]] == [Handle]
    with pytest.raises(AttributeError, match="has no attribute 'y'"):
        _ = a.y
    assert not hasattr(a, "y")


def test_items_are_fetched_one_by_one(names):
    names.run("import itertools, collections\nd = collections.ChainMap({'a': 1})")
    names.run("def count():\n    yield from itertools.count()")
    assert names["d"]["a"] == 1
    counted = names["count"]()
    assert [next(counted), next(counted)] == [0, 1]
    assert [i for i, _ in zip(counted, range(3), strict=False)] == [2, 3, 4]


@pytest.mark.parametrize(
    "attempt",
    [
        *(lambda a: a == 1, lambda a: a != a, lambda a: a < 1, lambda a: 1 in [a], lambda a: not a),
        *(lambda a: {a}, lambda a: isinstance(a, int), lambda a: bool(a), lambda a: sorted([a, a])),
        *(lambda a: setattr(a, "x", 1), lambda a: a.__setitem__(0, 1)),
    ],
)
def test_handles_do_not_judge(names, attempt):
    names.run("class Always:\n    def __eq__(self, other):\n        return True\na = Always()")
    with pytest.raises(HandleMisuse, match="fetch plain values"):
        attempt(names["a"])


def test_handles_are_not_asked_by_python_itself(names):
    names.run("class A:\n    __array__ = lambda self: 1\n    __float__ = lambda self: 1.0\na = A()")
    for attempt in (float, abs, lambda a: a.__array__, lambda a: a + 1, lambda a: a.__dict__):
        with pytest.raises((TypeError, AttributeError)):
            attempt(names["a"])
    assert repr(names["a"]) == "<the submission's A>"


def test_arguments_are_plain_data(names):
    names.run("def f(x):\n    return x")
    with pytest.raises(TypeError, match="arguments go by value"):
        names["f"](lambda: 1)


def test_a_name_taken_away_is_given_back(names):
    names.run("def f():\n    return 1\ndef g():\n    return f()")
    exec(
        "saved = f\ndel f\ntry:\n    g()\n    used = False\nexcept NameError:\n    used = True",
        names,
    )
    assert names["used"] is True
    exec("f = saved", names)
    assert names["g"]() == 1
    with pytest.raises(NameError):
        exec("del nowhere", names)


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        ("ValueError('no')", ValueError, "no"),
        ("KeyError('k')", KeyError, "k"),
        ("NotImplementedError()", NotImplementedError, ""),
        ("AssertionError('x' * 9000)", AssertionError, "x" * 100),
        ("Mine('no')", RuntimeError, "Mine: no"),
        ("MineToo('no')", ValueError, "MineToo: no"),
        ("SystemExit(0)", RuntimeError, "SystemExit: 0"),
        ("KeyboardInterrupt()", RuntimeError, "KeyboardInterrupt: "),
        ("UnicodeDecodeError('a', b'b', 0, 1, 'c')", UnicodeError, "UnicodeDecodeError: "),
        ("Silent()", RuntimeError, "Silent: "),
        ("StopIteration(1)", RuntimeError, "StopIteration: 1"),
    ],
)
def test_errors_of_student_code(names, raised, kind, text):
    names.run(
        "class Mine(Exception): pass\n"
        "class MineToo(ValueError): pass\n"
        "class Silent(Exception):\n    def __str__(self): raise ValueError\n"
        f"def f():\n    raise {raised}"
    )
    with pytest.raises(kind) as caught:
        names["f"]()
    assert type(caught.value) is kind
    assert text in str(caught.value)
    assert len(str(caught.value)) < 2100


def test_no_error_of_student_code_ends_a_loop_of_the_test(names):
    """`map` would take a StopIteration for its own end, and compare nothing."""
    names.run("def f(x):\n    raise StopIteration")
    with pytest.raises(RuntimeError, match="StopIteration"):
        exec("for a, b in zip(map(f, [1, 2]), [1, 2]):\n    assert a == b", names)


def test_a_class_that_calls_itself_a_builtin_exception(names):
    """The kernel's answer may say anything; only exceptions that are no exit come of it."""
    names.run("class X(Exception): pass\nX.__module__ = 'builtins'\nX.__name__ = 'SystemExit'")
    names.run("def f():\n    raise X('a')")
    with pytest.raises(RuntimeError, match="SystemExit: a"):
        names["f"]()


def test_nothing_is_left_among_the_students_names(names):
    names.run("before = set(globals())")
    names["before"]
    names.run("new = set(globals()) - before - {'before'}")
    assert not {name for name in names["new"] if not name.startswith("_i")}


def test_a_dead_kernel_is_noticed_at_once():
    with own() as kernel:
        kernel.run("import os\ndef f():\n    os._exit(0)")
        began = time.monotonic()
        verdict = judge("try:\n    f()\nexcept Exception:\n    pass", kernel.connection, 30)
        assert time.monotonic() - began < 5
    assert verdict.broken
    assert "the kernel ended" in verdict.error[1]


def test_a_question_without_end():
    with own() as kernel:
        kernel.run("def f():\n    while True:\n        pass")
        verdict = judge("f()", kernel.connection, 1)
        assert verdict.broken
        assert "no answer in 1 seconds" in verdict.error[1]
        kernel.manager.interrupt_kernel()
        kernel.run("def f():\n    return 1")
        assert judge("assert f() == 1", kernel.connection, 10).error is None


def test_an_answer_too_large_is_an_error_of_the_student(names):
    names.run("def f():\n    return bytes(2**30)")
    with pytest.raises(ValueError, match="1024 MB, at most 64 can pass"):
        names["f"]()
    names.run("def f():\n    return [0] * 5_000_000")
    with pytest.raises((ValueError, LinkBroken), match="too many values"):
        names["f"]()


def lie(text: str) -> str:
    """Student code by which every answer to the judge shows `text`, given the question."""
    return (
        "import sys, json\n"
        "class Lie:\n"
        "    def __init__(self, question): self.token = json.loads(question)[0]\n"
        f"    def __repr__(self): return {text}\n"
        "class Module(type(sys)):\n"
        "    answer = property(lambda self: Lie, lambda self, value: None)\n"
        "class Modules(dict):\n"
        "    def __setitem__(self, name, module):\n"
        "        dict.__setitem__(self, name, Module(name) if name[0] == '_' else module)\n"
        "sys.modules = Modules(sys.modules)\n"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("'x' * 2**30", "sent more than it may"),
        ("'[' * 10**7", "too many values"),
        ("'no json'", "cannot be read"),
        ("json.dumps([self.token, 'value', ['tensor', 'load', [1], 'x', False]])", "dtype"),
        ("json.dumps([self.token, 'value', ['handle', 1]])", "cannot be read"),
        ("json.dumps([self.token, 'verdict', 1])", "cannot be read"),
        ("json.dumps(['0' * 32, 'value', 1])", "no answer in"),
        ("1 / 0", "cannot answer"),
    ],
)
def test_malformed_and_forged_answers_end_the_test(text, sentence):
    with own() as kernel:
        kernel.run(lie(text))
        seconds = 2 if "no answer" in sentence else 30
        verdict = judge("try:\n    f()\nexcept Exception:\n    pass", kernel.connection, seconds)
    assert verdict.broken
    assert sentence in verdict.error[1]


def test_a_flood_of_stale_answers_is_not_looked_at():
    flood = (
        "import threading, time\n"
        "kernel = get_ipython().kernel\n"
        "import IPython\n"
        "def f():\n"
        "    s = kernel.session; parent = kernel.get_parent('shell')\n"
        "    idents = kernel._parent_ident['shell']\n"
        "    for i in range(200):\n"
        "        fake = {**parent, 'header': {**parent['header'], 'msg_id': str(i)}}\n"
        "        content = {'status': 'ok', 'user_expressions': {'answer': {'status': 'ok',"
        " 'data': {'text/plain': '[0, 0]'}}}}\n"
        "        for p in (fake, parent):\n"
        "            s.send(kernel.shell_stream if getattr(kernel, 'shell_stream', None) else"
        " kernel.shell_socket, 'execute_reply', content, parent=p, ident=idents)\n"
        "    return 7\n"
    )
    with own() as kernel:
        kernel.run(flood)
        verdict = judge("assert f() == 7", kernel.connection, 10)
    # Forged replies to the very question may be taken for an unreadable answer, never for a value.
    assert verdict.error is None or "Error" not in verdict.error[0]
