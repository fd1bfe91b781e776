"""What crosses between judge and kernel: exactly what was sent, or one clear error."""

import collections
import json
import math

import numpy as np
import pytest
import torch

from labkit.grading.judge import values
from labkit.grading.judge.values import WireError, decode, dumps, encode, loads


def no_handle(*_):
    raise AssertionError("nothing opaque is expected here")


def across(value):
    return decode(loads(dumps(encode(value, no_handle))), no_handle)


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -1, 2**63, 1.5, -0.0, math.inf, 5e-324, 3 + 4j),
        *("", "a", "ä€😀\x00\n'\"\\", "\ud800", "x" * 5000, "\ud800" * 2000, b"", b"\x00\xff"),
        *([], [1, [2.0, ["3"]]], (), (1,), {}, {"a": [1], 2: None, (1, 2): b"x"}, {1, "a"}),
        *(frozenset({2}), range(3), range(5, 0, -2), slice(1, None, 2)),
        *(collections.OrderedDict(a=1), collections.Counter("aab")),
    ],
)
def test_plain_values_arrive_as_they_are(value):
    found = across(value)
    assert type(found) is type(value)
    assert found == value
    assert repr(found) == repr(value)


def test_whole_numbers_of_any_length():
    assert across(-(10**5000)) == -(10**5000)


def test_nan_is_nan():
    assert math.isnan(across(math.nan))


def test_a_defaultdict_comes_without_its_factory():
    found = across(collections.defaultdict(list, a=[1]))
    assert found == {"a": [1]}
    assert found.default_factory is None


def test_types_of_namedtuples_without_end_are_refused():
    """And not those of the next message, which may be another submission's."""
    types = ["list", [["namedtuple", f"T{n}", ["x"], [n]] for n in range(5000)]]
    for _ in range(2):
        with pytest.raises(WireError, match="too many types"):
            decode(types, no_handle)
    assert across([Point(n, 0) for n in range(5000)])[-1] == (4999, 0)


def test_a_namedtuple_has_names_and_is_a_tuple():
    found = across(Point(1, [2]))
    assert (found.x, found.y, found) == (1, [2], (1, [2]))
    assert type(found).__name__ == "Point"


SHARED = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64"
SHARED = [*SHARED.split(), "complex128"]


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays_and_tensors_of_every_dtype(name, shape):
    array = np.array(np.arange(math.prod(shape)).reshape(shape) % 2, dtype=name)
    found = across(array)
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (array.dtype, shape)
    assert (found == array).all()
    found += found  # may be written to
    tensor = torch.from_numpy(array.copy())
    found = across(tensor)
    assert type(found) is torch.Tensor
    assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(found, tensor)


@pytest.mark.parametrize("name", ["bfloat16", "complex32", "float8_e4m3fn", "float8_e5m2"])
def test_dtypes_that_only_torch_has(name):
    tensor = torch.tensor([[0.5, -2.0, 1.0]]).to(getattr(torch, name))
    found = across(tensor)
    assert found.dtype is tensor.dtype
    assert torch.equal(found.view(torch.uint8), tensor.view(torch.uint8))


@pytest.mark.parametrize("dtype", [">f8", "<f8", ">i2", "<U5", "S3", "<M8[D]", "<m8[ns]", "<c16"])
def test_arrays_keep_their_byte_order_and_unit(dtype):
    array = np.array([1, 2, 3]).astype(dtype)
    found = across(array)
    assert found.dtype.str == array.dtype.str
    assert (found == array).all()


def test_arrays_that_are_not_contiguous():
    array = np.arange(24.0).reshape(2, 3, 4)
    for view in (
        array.T,
        array[::-1, :, ::2],
        np.asfortranarray(array),
        np.broadcast_to(1.0, (3,)),
    ):
        assert (across(view) == view).all()
    assert across(torch.ones(3).as_strided((1,), (5,))).tolist() == [1.0]
    tensor = torch.arange(24.0).reshape(4, 6)
    for view in (
        tensor.T,
        tensor[::2, 1::3],
        tensor[0].expand(3, 6),
        tensor.to(torch.cfloat).conj(),
    ):
        assert torch.equal(across(view), view.resolve_conj())


@pytest.mark.parametrize("value", [np.float64(1.5), np.int8(-3), np.bool_(True), np.str_("a")])
def test_numpy_scalars_keep_their_type(value):
    found = across(value)
    assert type(found) is type(value)
    assert found == value


def test_non_finite_numbers_of_arrays():
    found = across(np.array([np.nan, -np.inf]))
    assert np.isnan(found[0])
    assert found[1] == -np.inf


def test_tensors_keep_what_autograd_knows_of_them():
    assert across(torch.ones(2, requires_grad=True)).requires_grad
    assert type(across(torch.nn.Parameter(torch.ones(2)))) is torch.nn.Parameter
    assert not across(torch.nn.Parameter(torch.ones(2), requires_grad=False)).requires_grad
    assert across(torch.float16) is torch.float16
    assert across(torch.ones(2, 3).shape) == (2, 3)


class Float(float):
    pass


class List(list):
    pass


class Tensor(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "value",
    [
        *(Float(1), List(), object(), int, len, Ellipsis, iter([])),
        *(np.array([None]), np.zeros(2, "i4,f4"), np.ma.array([1])),
        *(
            torch.ones(2).as_subclass(Tensor),
            torch.eye(2).to_sparse(),
            torch.ones(2, device="meta"),
        ),
    ],
)
def test_everything_else_is_opaque(value):
    seen = []
    encode([value], lambda one: seen.append(one) or ["handle", 1, "", False])
    assert len(seen) == 1
    assert seen[0] is value


def test_a_list_that_holds_itself():
    endless: list = []
    endless.append(endless)
    with pytest.raises(WireError, match="nested"):
        encode(endless, no_handle)


def data(raw: bytes) -> str:
    return values._pack(raw)


MALFORMED = [
    *(
        [],
        [1],
        ["list"],
        ["list", 1],
        ["list", [], []],
        ["no such", 1],
        [["list"], []],
        {},
        {"a": 1},
    ),
    *(["int", "x"], ["int", 5], ["str", "%"], ["str", data(b"\xff")], ["bytes", "a"], ["bytes", 1]),
    *(["complex", 1, 2], ["complex", 1.0], ["set", [["list", []]]], ["dict", [["list", [1, 2]]]]),
    *(["dict", [[1]]], ["dict", [[["list", []], 1]]], ["dict", [1]], ["Counter", [[1]]]),
    *(["range", [1, 2]], ["range", [0, 10**30, 1]], ["range", [0, 5, 0]], ["range", [0.0, 1, 1]]),
    *(["handle", "1", "a", True], ["handle", 1, "a", 1], ["handle", True, "a", True]),
    *(["namedtuple", "A", ["x"], []], ["namedtuple", "A b", [], []]),
    *(["namedtuple", "A", ["x; import os"], [1]], ["namedtuple", "A", ["_x"], [1]]),
    *(["namedtuple", "A", ["x", "x"], [1, 2]], ["namedtuple", "A", ["class"], [1]]),
    *(["array", "|O", [1], data(bytes(8))], ["array", "|V8", [1], data(bytes(8))]),
    *(["array", "i4,f4", [1], data(bytes(8))], ["array", "<f8", [2], data(bytes(8))]),
    *(["array", "<f8", [-1], data(b"")], ["array", "<f8", [True], data(bytes(8))]),
    *(["array", "<f8", [2**40, 2**40], data(bytes(8))], ["array", "<f8", [0, 2**60], data(b"")]),
    *(["array", "<f8", [1] * 99, data(bytes(8))], ["array", "<f8", 1, data(bytes(8))]),
    *(["array", "|b1", [1], data(b"\x02")], ["array", "<M8[x]", [1], data(bytes(8))]),
    *(["array", "<U9999999", [1], ""], ["array", "<U1", [1], data(b"\xff\xff\xff\xff")]),
    *(["scalar", "<f8", [1], data(bytes(8))], ["array", "<f8", [1], "AAAAAAAAAAA="[:-2]]),
    *(
        ["tensor", "float32", [1], data(bytes(8)), False],
        ["tensor", "load", [1], data(b"a"), False],
    ),
    *(["tensor", "float32", [1], data(bytes(4))], ["tensor", "int32", [1], data(bytes(4)), True]),
    *(["tensor", "bool", [1], data(b"\x02"), False], ["tensor", "float32", [1], data(bytes(4)), 1]),
    *(["tensor", "float32", [0, 2**47, 2**47], "", False], ["dtype", "nn"], ["dtype", 1]),
    ["dict", [[["int", hex(i * (2**61 - 1))], 0] for i in range(101)]],
    ["set", [["int", hex(i * (2**61 - 1))] for i in range(101)]],
    *(["array", "<U0", [2**31], ""], ["array", "<f8", [2**31, 0], ""]),
]


@pytest.mark.parametrize("message", MALFORMED, ids=lambda message: json.dumps(message)[:40])
def test_malformed_messages_are_one_error(message):
    with pytest.raises(WireError):
        decode(message, lambda *_: None)


def test_a_message_nested_too_deep():
    message: list = ["list", []]
    for _ in range(200):
        message = ["list", [message]]
    with pytest.raises(WireError, match="nested"):
        decode(message, no_handle)
    with pytest.raises(WireError, match="no JSON"):
        loads("[" * 100_000 + "]" * 100_000)


def test_messages_that_are_too_large():
    with pytest.raises(WireError, match="too many values"):
        loads("[" + "1," * 3_000_000 + "1]")
    with pytest.raises(WireError, match="MB"):
        loads(" " * (values.TEXT_LIMIT + 1))
    with pytest.raises(WireError, match="MB"):
        encode(bytes(values.TEXT_LIMIT + 1), no_handle)
    with pytest.raises(WireError, match="no JSON"):
        loads("9" * 10_000)


def test_handles_get_a_number_and_a_name_that_can_be_printed():
    seen = decode(["handle", 7, "Net\x1b[31m\n" + "x" * 500, True], lambda *parts: parts)
    assert seen[0] == 7
    assert seen[1].startswith("Net[31mx")
    assert len(seen[1]) <= 100
