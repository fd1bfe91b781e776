"""A test becomes a verdict: what its last value means, and who is to blame for an error."""

import decimal
import fractions
import math

import numpy as np
import pytest
import torch
from grading.judge.test_link import connection

from labkit.grading.judge.run import TestIsWrong as IsWrong
from labkit.grading.judge.run import _partial, judge

ONE_AND_A_HALF = [
    *(1.5, np.float64(1.5), np.float32(1.5), np.float16(1.5), np.array(1.5), np.array([[1.5]])),
    *(torch.tensor(1.5), torch.tensor([1.5]), torch.tensor(1.5, dtype=torch.bfloat16)),
    *(decimal.Decimal("1.5"), fractions.Fraction(3, 2), torch.nn.Parameter(torch.tensor(1.5))),
]


@pytest.mark.parametrize("value", ONE_AND_A_HALF, ids=repr)
def test_a_number_of_any_kind_is_points(value):
    assert _partial(value) == 1.5


def test_a_sum_of_numpys_truth_values_is_points():
    assert _partial(np.True_ + np.int64(0)) == 1.0
    assert _partial(sum([np.False_, np.True_])) == 1.0
    assert _partial(np.int64(0)) == 0.0
    assert _partial(np.uint8(3)) == 3.0


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, np.False_, np.array([False]), torch.tensor(False), "3", b"3", 1 + 0j),
        *(
            [1.0],
            (0,),
            {},
            np.ones(2),
            np.zeros(0),
            torch.zeros(3),
            np.array(["3"]),
            np.complex64(1),
        ),
        *(np.datetime64("2026-01-01"), np.array([None]), torch.tensor(0j), object()),
    ],
    ids=lambda value: repr(value).partition(" at 0x")[0],
)
def test_any_other_last_value_means_nothing(value):
    assert _partial(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *(-1, math.nan, math.inf, np.float64("nan"), np.int64(-1), torch.tensor(-1.0)),
        *(decimal.Decimal("NaN"), fractions.Fraction(-1, 2), np.array([math.inf]), 10**400),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_number_that_cannot_be_points_is_the_tests_mistake(value):
    with pytest.raises(IsWrong, match="the test itself is wrong: its last value is"):
        _partial(value)


@pytest.fixture
def verdict(kernel):
    """The verdict on a test, after student code has run."""
    manager, client = kernel

    def run(student: str, test: str):
        client.execute_interactive(f"%reset -f\n{student}", timeout=20, output_hook=lambda _: 0)
        return judge(test, connection(manager), 20)

    return run


COUNTING = """
import numpy as np
points = 0
for x in (1, 5):
    points += h(x) == x + 1
points
"""


@pytest.mark.parametrize(("answer", "points"), [("x + 1", 2.0), ("2", 1.0), ("0", 0.0)])
@pytest.mark.parametrize("kind", ["int", "np.int64", "np.float32", "np.array"])
def test_wrong_answers_get_what_they_earn_whatever_their_type(verdict, answer, points, kind):
    found = verdict(f"import numpy as np\ndef h(x):\n    return {kind}({answer})", COUNTING)
    assert (found.points, found.error) == (points, None)


def test_an_object_as_the_last_value_means_nothing(verdict):
    student = "class Table:\n    def __len__(self): return 2\n    def head(self): return self\n"
    student += "def t(): return Table()"
    found = verdict(student, "assert len(t()) == 2\nt().head()")
    assert (found.points, found.error) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        "eval('1 +')",
        "compile('if', '', 'exec')",
        "raise SyntaxError('mine')",
        "import ast; ast.parse('(')",
    ],
)
def test_a_syntax_error_of_the_submissions_is_not_the_tests(verdict, body):
    found = verdict(f"def f():\n    {body}", "assert f() == 1")
    assert found.error[0] == "SyntaxError"
    assert "test" not in found.error[1]


def test_a_syntax_error_of_the_test_is(verdict):
    found = verdict("f = 1", "assert f ==")
    assert found.error == ("TestIsWrong", "the test itself is wrong: invalid syntax")
