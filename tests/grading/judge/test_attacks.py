"""Submissions that try for marks, beside honest ones, through `nbgrader autograde`."""

import math

import pytest
from grading.judge.course import FULL, NONE, cell, make_course

HONEST = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(x):\n    return x.mean()",
}
WRONG = "def double(x):\n    return x\n\n\n"


def code(double=HONEST["double"], mean=HONEST["mean"]):
    """A change of the release that fills in both solutions."""

    def change(notebook, cells):
        cells["double"].source = double
        cells["mean"].source = mean

    return change


def attack(text: str):
    """A wrong double, no mean, and code that tries to get marks all the same."""
    return code(WRONG + text, "mean = double")


HONEST_WORK = {
    "reference": (code(), FULL),
    "blank": (code("def double(x):\n    raise NotImplementedError", "def mean(x): ..."), NONE),
    "half": (
        code(mean="def mean(x):\n    return float(x.sum()) / len(x)"),
        FULL | {"test-mean": 0.5},
    ),
    "warns": (
        code(
            "import sys, warnings, logging\n"
            "def double(x):\n"
            "    warnings.warn('careful')\n"
            "    print('to stderr', file=sys.stderr)\n"
            "    logging.warning('logged')\n"
            "    return 2 * x"
        ),
        FULL,
    ),
    "shows-a-bar": (
        code(
            mean="from tqdm.auto import tqdm\n"
            "def mean(x):\n"
            "    for _ in tqdm(range(3)):\n        pass\n"
            "    return x.mean()"
        ),
        FULL,
    ),
    "prints-and-plots": (
        code(
            "import matplotlib.pyplot as plt\n"
            "def double(x):\n    plt.plot([1]); plt.show(); print(1.0); return 2 * x"
        ),
        FULL,
    ),
}

ATTACKS = {
    # What is shown in place of the verdict
    "display-hook": attack("import sys\nsys.displayhook(2.0)"),
    "prints-a-verdict": attack(
        "def double(x):\n"
        "    import sys\n    sys.displayhook(2.0); print('2.0'); display(2.0); return x"
    ),
    "publishes-a-result": attack(
        "def double(x):\n"
        "    s = get_ipython().kernel\n"
        "    s.send_response(s.iopub_socket, 'execute_result', {'data': {'text/plain': '2.0'},"
        " 'metadata': {}, 'execution_count': 1})\n    return x"
    ),
    "writes-to-every-descriptor": attack(
        "import os\n"
        "def double(x):\n"
        "    for i in range(256):\n"
        "        if i not in (0, 1, 2): continue\n"
        '        os.write(i, b\'{"points": 2.0, "error": null}\\n\')\n'
        "    return x"
    ),
    # How code is run
    "blanks-asserts-in-the-tree": attack(
        "import ast\n"
        "class Blank(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)\n"
        "get_ipython().ast_transformers.append(Blank())"
    ),
    "blanks-asserts-in-the-text": attack(
        "get_ipython().input_transformers_cleanup.append("
        "lambda lines: ['\\n' if 'assert' in line else line for line in lines])"
    ),
    "replaced-run-cell": attack(
        "shell = get_ipython()\nrun = shell.run_cell\n"
        "shell.run_cell = lambda *a, **k: run('2.0', *a[1:], **k)"
    ),
    "replaced-user-expressions": attack(
        "get_ipython().user_expressions = lambda e: {k: {'status': 'ok', 'data':"
        " {'text/plain': '2.0'}, 'metadata': {}} for k in e}"
    ),
    # Patched judges
    "patched-numpy": attack(
        "import numpy\nnumpy.allclose = numpy.array_equal = lambda *a, **k: True\n"
        "numpy.isclose = numpy.all = lambda *a, **k: True"
    ),
    "patched-code-of-numpy": attack(
        "import numpy\n"
        "def always(a, b, rtol=1, atol=1, equal_nan=True): return True\n"
        "numpy.allclose._implementation.__code__ = always.__code__"
    ),
    "patched-tensor": attack(
        "import torch\ntorch.Tensor.__eq__ = lambda *a: True\ntorch.equal = lambda *a: True"
    ),
    "patched-builtins": attack(
        "import builtins\n"
        "builtins.abs = lambda x: 0\nbuiltins.all = builtins.any = lambda x: True\n"
        "builtins.AssertionError = type('Quiet', (Exception,), {})"
    ),
    "patched-checks": attack(
        "from labkit import checks\n"
        "for name in ('values', 'shape', 'number', 'require', '_close'):\n"
        "    setattr(checks, name, lambda *a, **k: True)\n"
        "checks.Marks.total = lambda self: 2.0"
    ),
    "patched-time": attack("import time\ntime.time = time.monotonic = lambda: 0.0"),
    # Objects that agree with everything
    "always-equal": attack(
        "class Yes:\n"
        "    __eq__ = __ge__ = __le__ = lambda self, other: True\n"
        "    __ne__ = lambda self, other: False\n"
        "    __float__ = lambda self: 3.0\n"
        "    __array__ = lambda self, *a, **k: 1\n"
        "    __hash__ = None\n"
        "def double(x): return Yes()"
    ),
    "float-subclass": attack(
        "class F(float):\n    __eq__ = lambda self, other: True\n    __hash__ = None\n"
        "def double(x): return F(1)"
    ),
    "class-that-calls-itself-float": attack(
        "class F:\n    __class__ = float\n    __eq__ = lambda self, other: True\n"
        "def double(x): return F()"
    ),
    "array-subclass": attack(
        "import numpy as np\n"
        "class A(np.ndarray):\n    __eq__ = lambda self, other: True\n"
        "    def __array_function__(self, *a): return True\n"
        "def double(x): return np.asarray(x).view(A)"
    ),
    "tensor-subclass": attack(
        "import torch\n"
        "class T(torch.Tensor):\n"
        "    @classmethod\n    def __torch_function__(cls, *a, **k): return True\n"
        "def double(x): return torch.zeros(1).as_subclass(T)"
    ),
    # Looking for the test
    "walks-frames": attack(
        "import sys\n"
        "def double(x):\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        for name in ('expected', 'right', 'b', 'other'):\n"
        "            if name in frame.f_locals: return frame.f_locals[name]\n"
        "        frame = frame.f_back\n"
        "    return x"
    ),
    "searches-memory": attack(
        "import gc, sys\n"
        "def double(x):\n"
        "    words = [o for o in gc.get_objects() if isinstance(o, (dict, list, tuple))]\n"
        "    cells = list(In) if 'In' in globals() else []\n"
        "    found = any('the-hidden' + '-test-of-double' in str(v) for v in cells)\n"
        "    return 2 * x if found else x"
    ),
    "searches-in-a-thread": attack(
        "import threading, time, sys\n"
        "found = []\n"
        "def search():\n"
        "    while True:\n"
        "        for frame in sys._current_frames().values():\n"
        "            while frame:\n"
        "                text = str(frame.f_code.co_consts)\n"
        "                if '-'.join(['the', 'hidden']) in text: found.append(1)\n"
        "                frame = frame.f_back\n"
        "        time.sleep(0.01)\n"
        "threading.Thread(target=search, daemon=True).start()\n"
        "def double(x): return 2 * x if found else x"
    ),
    # Leaving
    "exits-at-once": attack("import os\ndef double(x): os._exit(0)"),
    "exits-politely": attack("def double(x): raise SystemExit(0)"),
    "segfaults": attack("import ctypes\ndef double(x): ctypes.string_at(0)"),
    # The end of the link in the kernel
    "replaced-link": attack(
        "import sys, json\n"
        "def double(x):\n"
        "    module = sys.modules['_labkit_answers']\n"
        "    lie = lambda q: module.Answer(json.dumps([json.loads(q)[0], 'verdict', 2.0]))\n"
        "    module.answer = lie\n"
        "    return x"
    ),
    "deleted-link": attack(
        "import sys\ndef double(x):\n    del sys.modules['_labkit_answers']; return x"
    ),
}


def skip_tests(notebook, cells):
    """nbclient leaves out cells with this tag, and nbgrader gives an empty test full marks."""
    code(WRONG, "")(notebook, cells)
    for name in FULL:
        cells[name].metadata["tags"] = ["skip-execution"]


def rewrite_tests(notebook, cells):
    code(WRONG, "")(notebook, cells)
    for name in FULL:
        cells[name].source = "pass"
        cells[name].metadata.nbgrader["points"] = 100.0
        cells[name].metadata.nbgrader["locked"] = False


def turn_tests_into_answers(notebook, cells):
    code(WRONG, "")(notebook, cells)
    for name in FULL:
        cells[name].metadata.nbgrader["solution"] = True


def hide_tests(notebook, cells):
    """Stop the cells from counting as graded."""
    code(WRONG, "")(notebook, cells)
    for name in FULL:
        cells[name].metadata.nbgrader["grade"] = False


def write_a_test(notebook, cells):
    """A cell that says it is a test. Were it run in the judge, it would leave the file."""
    code(WRONG, "")(notebook, cells)
    notebook.cells.append(
        cell("mine", "import os, zmq\nos.environ['LABKIT_PWNED'] = '1'", points=9)
    )


def turn_an_answer_into_a_test(notebook, cells):
    """Were it believed, the student's text would run as a test, with the points of the answer."""
    code(WRONG, "")(notebook, cells)
    cells["essay"].source = "import zmq"
    cells["essay"].metadata.nbgrader["solution"] = False


METADATA = {
    "skips-tests": skip_tests,
    "rewrites-tests": rewrite_tests,
    "answer-as-a-test": turn_an_answer_into_a_test,
}

# nbgrader itself gives up on these before anything of them is run.
REJECTED = {
    "tests-as-answers": turn_tests_into_answers,
    "hides-tests": hide_tests,
    "a-test-of-my-own": write_a_test,
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Everything above, graded in one run."""
    course = make_course(tmp_path_factory.mktemp("attacks"))
    for name, (change, _) in HONEST_WORK.items():
        course.submit(name, change)
    for name, change in {**ATTACKS, **METADATA, **REJECTED}.items():
        course.submit(name, change)
    course.submit(
        "module-beside-the-notebook",
        code(WRONG, "def mean(x):\n    return 0.0"),
        {"numpy.py": "def allclose(*a): return True\n"},
    )
    course.log = course.grade()
    return course


@pytest.mark.parametrize("name", HONEST_WORK)
def test_honest_work_keeps_its_marks(course, name):
    assert course.scores(name) == HONEST_WORK[name][1]


@pytest.mark.parametrize("name", [*ATTACKS, *METADATA, "module-beside-the-notebook"])
def test_attacks_gain_nothing(course, name):
    assert course.scores(name) == NONE
    assert not course.needs_hand(name, "test-double")


@pytest.mark.parametrize("name", REJECTED)
def test_submissions_that_nbgrader_gives_up_on(course, name):
    assert course.scores(name) == NONE


def test_an_answer_stays_an_answer(course):
    assert course.needs_hand("answer-as-a-test", "essay")


def test_students_see_the_sentence_and_nothing_hidden(course):
    for student in ATTACKS:
        outputs = course.graded(student)["test-double"].outputs
        assert [output.output_type for output in outputs] == ["error"]
        assert "the-hidden-test-of-double" not in str(outputs)
        assert "/" not in outputs[0].evalue
    (printed, result) = course.graded("half")["test-mean"].outputs
    assert printed.text == "a table (0 of 1.5): the mean of a table is 7.5, expected 2.5\n"
    assert result.data["text/plain"] == "0.5"
    (error,) = course.graded("display-hook")["test-double"].outputs
    assert (error.ename, error.evalue) == ("AssertionError", "double(3) is wrong")


def test_outputs_are_few(course):
    for name, graded in course.graded("reference").items():
        assert all(output.get("name") != "stderr" for output in graded.outputs), name


def test_marks_are_numbers(course):
    for student in [*HONEST_WORK, *ATTACKS]:
        assert all(math.isfinite(score) for score in course.scores(student).values())
