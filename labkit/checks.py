"""What the tests of the labs call: compare values, and say in words what is wrong.

A check compares what a student's code returned with shapes and numbers; it never asks the
student's object to compare itself. A failed check raises `CheckFailed`, which a notebook shows as
one sentence without a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:  # importing torch takes seconds, and a test of numbers needs none of it
    import torch


class CheckFailed(AssertionError):
    """A result is not yet right; the message says what was found and what is expected."""

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook: the lines of a check are not the student's."""
        return [f"\x1b[1;31mNot yet:\x1b[0m {self}"]


def require(condition: bool, sentence: str) -> None:
    """Fail with the sentence unless the condition holds."""
    if not condition:
        raise CheckFailed(sentence)


def shape(
    name: str,
    value: Any,
    expected: Sequence[int],
    hints: Mapping[tuple[int, ...], str] | None = None,
) -> None:
    """Check the shape of an array or tensor.

    Args:
        name: what the value is called in the sentence.
        value: a torch tensor or numpy array.
        expected: the right shape.
        hints: for wrong shapes that a known mistake gives, what that mistake is.
    """
    found = tuple(_array(name, value).shape)
    if found == tuple(expected):
        return
    hint = (hints or {}).get(found)
    raise CheckFailed(
        f"the shape of {name} is {_brackets(found)}, expected {_brackets(expected)}"
        + (f": {hint}" if hint else "")
    )


def values(
    name: str,
    value: Any,
    expected: ArrayLike | torch.Tensor,
    *,
    tolerance: float = 1e-4,
    hints: Sequence[tuple[ArrayLike | torch.Tensor, str]] = (),
) -> None:
    """Check an array or tensor number by number, its shape first.

    Args:
        name: what the value is called in the sentence.
        value: a torch tensor, numpy array or number.
        expected: the right numbers.
        tolerance: allowed difference, absolute and relative to the largest expected number.
        hints: pairs of wrong numbers that a known mistake gives, and what that mistake is.
    """
    right = _array("expected", expected).astype(np.float64)
    shape(name, value, right.shape)
    found = _array(name, value).astype(np.float64)
    if _close(found, right, tolerance):
        return
    for wrong, hint in hints:
        if _close(found, _array("hint", wrong).astype(np.float64), tolerance):
            if right.ndim == 0:
                raise CheckFailed(f"{name} is {found:.6g}, expected {right:.6g}: {hint}")
            raise CheckFailed(f"the values of {name} are wrong: {hint}")
    if not np.isfinite(found).all():
        raise CheckFailed(
            f"there is {_first_non_finite(found)} among the values of {name}, "
            "expected finite numbers"
        )
    worst = np.unravel_index(np.argmax(np.abs(found - right)), right.shape)
    place = f"the value of {name} at {_brackets(worst)}" if right.ndim else name
    raise CheckFailed(f"{place} is {found[worst]:.6g}, expected {right[worst]:.6g}")


def dtype(name: str, value: Any, expected: torch.dtype) -> None:
    """A tensor whose numbers are of one kind, such as torch.bool."""
    if _is_tensor(value) and value.dtype == expected:
        return
    kind = f" of {value.dtype}" if _is_tensor(value) or isinstance(value, np.ndarray) else ""
    raise CheckFailed(
        f"{name} is {_kind(value)}{kind}, expected a tensor of {expected}{_forgotten(value)}"
    )


def number(name: str, value: Any, expected: float, *, tolerance: float = 1e-4) -> None:
    """Check one Python number; a tensor is told to become one with `.item()`."""
    if _is_tensor(value):
        raise CheckFailed(f"{name} is a tensor, expected a Python number: take its .item()")
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise CheckFailed(f"{name} is {_kind(value)}, expected a number{_forgotten(value)}")
    values(name, float(value), expected, tolerance=tolerance)


def entries(function: str, value: Any, *names: str) -> tuple[Any, ...]:
    """What a function returns together, as many values as there are names.

    Args:
        function: whose values they are, in the sentence.
        value: what it returned, a tuple or list.
        names: what the values are called in the sentence, in their order.
    """
    if isinstance(value, tuple | list) and len(value) == len(names):
        return tuple(value)
    found = _kind(value)
    if isinstance(value, tuple | list):
        found = "1 value" if len(value) == 1 else f"{len(value)} values"
    raise CheckFailed(
        f"{function} returns {found}, expected {len(names)} values: {', '.join(names)}"
    )


def mapping(name: str, value: Any, *keys: str) -> Mapping[str, Any]:
    """A dictionary, or what is used like one, that has at least these keys."""
    if not (hasattr(value, "keys") and hasattr(value, "__getitem__")):
        raise CheckFailed(f"{name} is {_kind(value)}, expected a dictionary{_forgotten(value)}")
    if missing := [key for key in keys if key not in value]:
        raise CheckFailed(f"{name} has no {', '.join(map(repr, missing))}")
    return value


def indices(name: str, value: Any) -> list[int]:
    """Whole numbers from a list, array or 1-D tensor of them, as a plain list."""
    array = _array(name, value)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise CheckFailed(
            f"{name} is {_brackets(array.shape)} of {array.dtype}, expected a list of indices [n]"
        )
    return [int(index) for index in array]


def fill_parameters(module: torch.nn.Module, seed: int) -> None:
    """Give every parameter of a module reproducible values, in the order of definition.

    Two modules with the same parameters in the same order then compute the same, whatever their
    layers are called. Weights are drawn from N(0, 1 / inputs of a unit); biases, and the scales of
    normalisation layers, from N(1, 0.01).
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(drawn / parameter[0].numel() ** 0.5)
            else:
                parameter.copy_(1 + 0.1 * drawn)


class Marks:
    """Partial credit: parts that each add their points, or print why they do not.

    ```
    marks = checks.Marks()
    with marks.part(0.5, "batch of one"):
        checks.shape(...)
    marks.total()   # the last line of a test cell: nbgrader reads its value
    ```
    """

    def __init__(self) -> None:
        self._points = 0.0

    @contextmanager
    def part(self, points: float, name: str) -> Iterator[None]:
        """Add the points if the block runs to its end; any error of the work costs this part."""
        try:
            yield
        except Exception as error:
            reason = str(error) if isinstance(error, CheckFailed) else f"{_kind(error)}: {error}"
            print(f"{name} (0 of {points:g}): {reason}")
        else:
            self._points += points

    def total(self) -> float:
        """The sum of the parts earned, in points."""
        return round(self._points, 6)


def _array(name: str, value: Any) -> NDArray[Any]:
    """A numpy copy of a tensor, array or number; a sentence for anything else."""
    if _is_tensor(value):
        number = value.detach().cpu()
        return (number.double() if number.is_floating_point() else number).numpy()
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype == object:
        value = value.item()  # what numpy.array makes of None, or of another lone object
    if value is None:
        raise CheckFailed(f"{name} is None{_forgotten(value)}")
    if _is_max_and_where(value):
        raise CheckFailed(
            f"{name} is a pair of values and indices, as {_kind(value)}(dim) gives it: "
            "take its .values"
        )
    if not isinstance(value, np.ndarray | np.number | int | float | list | tuple):
        raise CheckFailed(f"{name} is {_kind(value)}, expected a tensor")
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "biufc":
        raise CheckFailed(f"{name} is {_kind(value)} of other things than numbers")
    return array


def _is_tensor(value: Any) -> bool:
    """Whether it is a torch tensor; a program that has not imported torch holds none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_max_and_where(value: Any) -> bool:
    """Whether it is what torch's `max(dim)` and `min(dim)` return: values and their indices."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    return isinstance(value, torch.return_types.max | torch.return_types.min)


def _close(found: NDArray[Any], right: NDArray[Any], tolerance: float) -> bool:
    if found.shape != right.shape:
        return False
    scale = max(1.0, float(np.abs(right).max(initial=0.0)))
    return bool((np.abs(found - right) <= tolerance * scale).all())  # NaN is never close


def _first_non_finite(array: NDArray[Any]) -> float:
    return float(array[~np.isfinite(array)].flat[0])


def _brackets(shape: Sequence[Any]) -> str:
    return "[" + ",".join(str(int(size)) for size in shape) + "]"


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def _forgotten(value: Any) -> str:
    return ": does the function return it?" if value is None else ""
