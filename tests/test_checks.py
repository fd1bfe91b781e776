"""Checks find what is wrong, say so in a sentence, and let nothing else pass."""

import numpy as np
import pytest
import torch
from torch import nn

from labkit import checks
from labkit.checks import CheckFailed


def failure(check, *args, **kwargs) -> str:
    with pytest.raises(CheckFailed) as caught:
        check(*args, **kwargs)
    return str(caught.value)


def test_a_wrong_shape_is_named_with_its_likely_reason():
    hints = {(2, 64, 56, 56): "the backbone stops one stage early"}
    checks.shape("features", torch.zeros(2, 128, 28, 28), (2, 128, 28, 28))
    assert (
        failure(checks.shape, "features", torch.zeros(2, 64, 56, 56), (2, 128, 28, 28), hints)
        == "the shape of features is [2,64,56,56], expected [2,128,28,28]: "
        "the backbone stops one stage early"
    )
    assert failure(checks.shape, "m", np.zeros(3), (4,), hints) == (
        "the shape of m is [3], expected [4]"
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "x is None: does the function return it?"),
        ("text", "x is str, expected a tensor"),
        ([[1, 2], [3]], "x is list of other things than numbers"),
        (nn.Linear(1, 1), "x is Linear, expected a tensor"),
        (
            torch.ones(1, 2).max(1),
            "x is a pair of values and indices, as max(dim) gives it: take its .values",
        ),
        (np.array(None), "x is None: does the function return it?"),
    ],
)
def test_what_is_no_tensor_is_said_to_be_none(value, sentence):
    assert failure(checks.values, "x", value, [1.0]) == sentence


def test_values_accept_rounding_and_nothing_more():
    checks.values("x", torch.tensor([1.0, 200.0]), [1.00001, 200.01])
    assert failure(checks.values, "x", torch.tensor([1.0, 2.0]), [1.0, 2.001]) == (
        "the value of x at [1] is 2, expected 2.001"
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_no_tolerance_lets_nan_or_infinity_pass(bad):
    sentence = failure(checks.values, "x", torch.tensor([0.0, bad]), [0.0, 1.0], tolerance=1e9)
    assert f"there is {bad} among the values of x" in sentence


def test_values_name_a_known_mistake():
    sentence = failure(
        checks.values, "p", torch.tensor([3.0]), [1.0], hints=[([2.0], "two"), ([3.0], "three")]
    )
    assert sentence == "the values of p are wrong: three"
    sentence = failure(checks.values, "p", 3.0, 1.0, hints=[(3.0, "three")])
    assert sentence == "p is 3, expected 1: three"


def test_values_check_the_shape_first():
    assert failure(checks.values, "x", torch.zeros(2, 1), [0.0, 0.0]) == (
        "the shape of x is [2,1], expected [2]"
    )
    assert failure(checks.values, "x", torch.zeros(0), [0.0]) == (
        "the shape of x is [0], expected [1]"
    )


def test_objects_that_claim_to_equal_everything_are_not_asked():
    class Yes:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert "expected a tensor" in failure(checks.values, "x", Yes(), [1.0])


def test_a_number_is_no_tensor_and_no_bool():
    checks.number("loss", 0.5, 0.5)
    checks.number("loss", np.float32(0.5), 0.5)
    assert ".item()" in failure(checks.number, "loss", torch.tensor(0.5), 0.5)
    assert failure(checks.number, "loss", True, 1.0) == "loss is bool, expected a number"
    assert failure(checks.number, "loss", 0.4, 0.5) == "loss is 0.4, expected 0.5"
    assert failure(checks.number, "loss", None, 0.5) == (
        "loss is None, expected a number: does the function return it?"
    )


def test_a_dtype_is_asked_of_a_tensor_alone():
    checks.dtype("m", torch.ones(2, dtype=torch.bool), torch.bool)
    for value, found in (
        (torch.ones(2), "Tensor of torch.float32"),
        (np.ones(2, bool), "ndarray of bool"),
        ([True], "list"),
    ):
        assert failure(checks.dtype, "m", value, torch.bool) == (
            f"m is {found}, expected a tensor of torch.bool"
        )


def test_entries_are_as_many_as_their_names():
    assert checks.entries("f", [1, None], "share", "mean") == (1, None)
    assert failure(checks.entries, "f", 0.5, "share", "mean") == (
        "f returns float, expected 2 values: share, mean"
    )
    assert failure(checks.entries, "f", (1, 2, 3), "share", "mean").startswith("f returns 3 values")


def test_a_mapping_has_its_keys():
    layers = nn.ModuleDict({"fc": nn.Linear(1, 1)})
    assert checks.mapping("the layers", layers, "fc") is layers
    assert failure(checks.mapping, "the result", {"test": 1}, "epoch", "test", "weights") == (
        "the result has no 'epoch', 'weights'"
    )
    assert failure(checks.mapping, "m", [1]) == "m is list, expected a dictionary"
    assert failure(checks.mapping, "m", None) == (
        "m is None, expected a dictionary: does the function return it?"
    )


def test_indices_from_what_holds_whole_numbers():
    assert checks.indices("i", torch.tensor([3, 1])) == [3, 1]
    assert checks.indices("i", [3, 1]) == [3, 1]
    assert "expected a list of indices" in failure(checks.indices, "i", torch.tensor([1.0]))
    assert "expected a list of indices" in failure(checks.indices, "i", torch.tensor([[1]]))


def test_require_says_its_sentence():
    checks.require(True, "never said")
    assert failure(checks.require, False, "the folds overlap") == "the folds overlap"


def test_marks_add_up_and_say_what_is_lost(capsys):
    marks = checks.Marks()
    with marks.part(0.25, "shape"):
        checks.shape("x", torch.zeros(2), (2,))
    with marks.part(0.5, "values"):
        checks.values("x", torch.zeros(2), [0.0, 1.0])
    with marks.part(0.1, "crash"):
        raise TypeError("no such thing")
    with marks.part(0.2, "rest"):
        pass
    assert marks.total() == 0.45
    assert capsys.readouterr().out.splitlines() == [
        "values (0 of 0.5): the value of x at [1] is 0, expected 1",
        "crash (0 of 0.1): TypeError: no such thing",
    ]


def test_marks_let_an_interrupt_through():
    marks = checks.Marks()
    with pytest.raises(KeyboardInterrupt), marks.part(1.0, "endless"):
        raise KeyboardInterrupt


def test_a_notebook_shows_the_sentence_without_a_traceback():
    (line,) = CheckFailed("features is [1]")._render_traceback_()
    assert line.endswith("features is [1]")


def test_filled_parameters_depend_on_seed_and_order_alone():
    first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    second = nn.ModuleDict({"a": nn.Conv2d(3, 4, 3), "b": nn.BatchNorm2d(4)})
    state = torch.get_rng_state()
    for module in (first, second):
        checks.fill_parameters(module, 5)
    assert torch.equal(state, torch.get_rng_state())
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert 0.1 < first[0].weight.std() < 0.3  # 1 / sqrt(27) = 0.19
    assert first[1].weight.min().item() > 0.7
    checks.fill_parameters(second, 6)
    assert not torch.equal(first[0].weight, second["a"].weight)
