"""The wire format between judge and kernel: plain data as JSON, anything else a number.

None, bool, int, float and short str stand for themselves; everything else is a list whose first
element is a tag. Numbers of arrays and tensors travel as base64 of their bytes, so that the exact
type arrives and nothing is rounded.

This one file is used on both ends: its text is also sent into the student's kernel. It therefore
imports nothing of labkit. On the trusted end `decode` is where the student's bytes become objects:
it builds only the types that are named here, and never unpickles, evaluates or imports what it was
told to.
"""

from __future__ import annotations

import base64
import binascii
import collections
import functools
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

TEXT_LIMIT = 64 * 2**20  # characters of one message
COUNT_LIMIT = 2_000_000  # values in one message; Python needs about 60 bytes for each
DEPTH_LIMIT = 50
TYPES_LIMIT = 1000  # of namedtuples in one message; making one takes a third of a millisecond
_types: set[tuple[str, ...]] = set()  # of namedtuples, in the message that is being decoded
_LONG_STRING = 1000
_DIMENSIONS = 32

# Kinds of numpy numbers, and of fixed-size strings and times. No "O" (references) and no "V".
_NUMPY_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU]\d{1,7}|[mM]8.*)")
_NUMPY_TIME = re.compile(r"[<>][mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")
_TORCH_DTYPES = {
    *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
}
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_SEQUENCES: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_MAPPINGS: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "Counter": lambda pairs: collections.Counter(dict(pairs)),
    "defaultdict": lambda pairs: collections.defaultdict(None, pairs),
}
_SEQUENCE_TAGS: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_MAPPING_TAGS: dict[type, str] = {
    dict: "dict",
    collections.OrderedDict: "OrderedDict",
    collections.Counter: "Counter",
    collections.defaultdict: "defaultdict",
}


class WireError(ValueError):
    """Something that cannot be sent, or that is no well-formed message."""


def dumps(message: Any) -> str:
    """The text of what `encode` made.

    Raises:
        WireError: it is longer than TEXT_LIMIT.
    """
    text = json.dumps(message)
    if len(text) > TEXT_LIMIT:
        raise WireError(
            f"the value takes {len(text) >> 20} MB, at most {TEXT_LIMIT >> 20} can pass"
        )
    return text


def loads(text: str) -> Any:
    """What `dumps` was given, as JSON and not yet checked any further.

    Raises:
        WireError: the text is too long, holds too many values, or is no JSON.
    """
    if len(text) > TEXT_LIMIT:
        raise WireError(f"a message of {len(text) >> 20} MB, at most {TEXT_LIMIT >> 20} can pass")
    # Before parsing: a megabyte of brackets becomes sixty of lists.
    if text.count(",") + text.count("[") + text.count("{") > COUNT_LIMIT:
        raise WireError("a message of too many values")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("a message that is no JSON") from None


def encode(value: Any, opaque: Callable[[Any], list], depth: int = 0) -> Any:
    """A value as JSON. Types are compared exactly: a subclass may mean something else.

    Args:
        value: anything.
        opaque: what stands for a value that is not plain, or an error.
        depth: of the containers around it.

    Raises:
        WireError: too deeply nested.
    """
    if depth > DEPTH_LIMIT:
        raise WireError(f"the value is nested more than {DEPTH_LIMIT} deep")
    kind = type(value)
    if value is None or kind in (bool, float):
        return value
    if kind is int:
        return value if value.bit_length() < 4000 else ["int", hex(value)]
    if kind is str:
        return value if len(value) < _LONG_STRING else ["str", _pack(_utf8(value))]
    if kind is bytes:
        return ["bytes", _pack(value)]
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind in (range, slice):
        parts = (value.start, value.stop, value.step)
        return [kind.__name__, [encode(part, opaque, depth + 1) for part in parts]]
    if kind in _SEQUENCE_TAGS:
        return [_SEQUENCE_TAGS[kind], [encode(item, opaque, depth + 1) for item in value]]
    if kind in _MAPPING_TAGS:
        pairs = [
            [encode(key, opaque, depth + 1), encode(item, opaque, depth + 1)]
            for key, item in value.items()
        ]
        return [_MAPPING_TAGS[kind], pairs]
    fields = getattr(kind, "_fields", None) if kind.__bases__ == (tuple,) else None
    if type(fields) is tuple and len(fields) == len(value) and all(map(_is_field, fields)):
        items = [encode(item, opaque, depth + 1) for item in tuple.__iter__(value)]
        return ["namedtuple", kind.__name__, list(fields), items]
    # A program that has not imported numpy or torch holds no values of theirs.
    if "numpy" in sys.modules and (found := _encode_numpy(value)) is not None:
        return found
    if "torch" in sys.modules and (found := _encode_torch(value, opaque, depth)) is not None:
        return found
    return opaque(value)


def _encode_numpy(value: Any) -> list | None:
    numpy = sys.modules["numpy"]
    kind = type(value)
    scalar = issubclass(kind, numpy.generic) and kind is value.dtype.type
    if not (kind is numpy.ndarray or scalar) or not _numpy_dtype(value.dtype.str):
        return None
    shape = list(value.shape)
    return ["scalar" if scalar else "array", value.dtype.str, shape, _pack(value.tobytes())]


def _encode_torch(value: Any, opaque: Callable[[Any], list], depth: int) -> list | None:
    torch = sys.modules["torch"]
    kind = type(value)
    if kind is torch.Size:
        return encode(tuple(value), opaque, depth)
    if kind is torch.dtype:
        return ["dtype", str(value).removeprefix("torch.")]
    if kind not in (torch.Tensor, torch.nn.Parameter):
        return None
    name = str(value.dtype).removeprefix("torch.")
    if value.layout != torch.strided or value.device.type == "meta" or name not in _TORCH_DTYPES:
        return None
    plain = value.detach().cpu().resolve_conj().resolve_neg()
    # A copy, because a tensor of at most one element is contiguous with any strides.
    plain = plain.clone(memory_format=torch.contiguous_format)
    data = plain.reshape(-1).view(torch.uint8).numpy().tobytes()
    tag = "tensor" if kind is torch.Tensor else "parameter"
    return [tag, name, list(value.shape), _pack(data), value.requires_grad]


def decode(message: Any, handle: Callable[[int, str, bool], Any], depth: int = 0) -> Any:
    """The value that `encode` was given; every part of the message is checked before it is used.

    Args:
        message: what `loads` gave.
        handle: makes what stands for an opaque value of (number, name of its type, callable).
        depth: of the containers around it.

    Raises:
        WireError: the message is not one that `encode` makes.
    """
    if depth == 0:
        _types.clear()  # each message has room for its own, whatever other submissions have sent
    if depth > DEPTH_LIMIT:
        raise WireError(f"a message nested more than {DEPTH_LIMIT} deep")
    if message is None or type(message) in (bool, int, float, str):
        return message
    _expect(type(message) is list and len(message) > 1 and type(message[0]) is str, "no tag")
    tag, *parts = message
    try:
        return _decode(tag, parts, handle, depth)
    except WireError:
        raise
    except Exception as error:  # whatever numpy and torch say to sizes that they cannot hold
        raise WireError(f"a malformed {tag[:20]!r}: {type(error).__name__}") from None


def _decode(tag: str, parts: list, handle: Callable[[int, str, bool], Any], depth: int) -> Any:
    def each(items: Any) -> list:
        _expect(type(items) is list, f"no list in {tag[:20]!r}")
        return [decode(item, handle, depth + 1) for item in items]

    if tag == "handle":
        number, name, callable_ = _parts(parts, int, str, bool)
        return handle(number, "".join(filter(str.isprintable, name[:100])), callable_)
    if tag == "int":
        (text,) = _parts(parts, str)
        return int(text, 16)
    if tag == "str":
        (text,) = _parts(parts, str)
        return _unpack(text).decode("utf-8", "surrogatepass")
    if tag == "bytes":
        (text,) = _parts(parts, str)
        return _unpack(text)
    if tag == "complex":
        return complex(*_parts(parts, float, float))
    if tag in ("range", "slice"):
        (items,) = _parts(parts, list)
        limits = each(items)
        _expect(len(limits) == 3, f"a {tag} of {len(limits)} numbers")
        if tag == "slice":
            return slice(*limits)
        _expect(all(type(limit) is int for limit in limits), "a range of other things than numbers")
        made = range(*limits)
        _expect(not made[COUNT_LIMIT:], "a range of too many numbers")
        return made
    if tag in _SEQUENCES:
        (items,) = _parts(parts, list)
        found = each(items)
        if tag in ("set", "frozenset"):
            _check_hashes(found)
        return _SEQUENCES[tag](found)
    if tag in _MAPPINGS:
        (items,) = _parts(parts, list)
        pairs = [each(pair) for pair in items]
        _expect(all(len(pair) == 2 for pair in pairs), f"a {tag} that is not made of pairs")
        _check_hashes([key for key, _ in pairs])
        return _MAPPINGS[tag](pairs)
    if tag == "namedtuple":
        name, fields, items = _parts(parts, str, list, list)
        _expect(_is_field(name) and all(map(_is_field, fields)), "a namedtuple of odd names")
        _expect(len(fields) == len(items) < 256, "a namedtuple of other length than its names")
        _types.add((name, *fields))
        _expect(len(_types) <= TYPES_LIMIT, "too many types of namedtuples")
        return _named_tuple(name, tuple(fields))(*each(items))
    if tag in ("array", "scalar"):
        return _decode_numpy(tag, *_parts(parts, str, list, str))
    if tag in ("tensor", "parameter"):
        return _decode_torch(tag, *_parts(parts, str, list, str, bool))
    if tag == "dtype":
        (name,) = _parts(parts, str)
        _expect(name in _TORCH_DTYPES, "an unknown dtype")
        import torch

        return getattr(torch, name)
    raise WireError(f"an unknown tag {tag[:20]!r}")


def _decode_numpy(tag: str, name: str, shape: list, text: str) -> Any:
    _expect(_numpy_dtype(name), "an unknown dtype of numpy")
    import numpy

    dtype = numpy.dtype(name)
    data = _unpack(text)
    _check_size(shape, dtype.itemsize, data)
    if dtype.kind == "b":
        _check_booleans(data)
    if dtype.kind == "U":
        codes = numpy.frombuffer(data, dtype.byteorder + "u4")
        _expect(bool((codes <= sys.maxunicode).all()), "characters that do not exist")
    if dtype.itemsize == 0:  # an array of empty strings, which has no bytes to read
        array = numpy.zeros(shape, dtype)
    else:
        array = numpy.frombuffer(data, dtype).reshape(shape).copy()
    _expect(tag == "array" or not shape, "a scalar with dimensions")
    return array if tag == "array" else array[()]


def _decode_torch(tag: str, name: str, shape: list, text: str, requires_grad: bool) -> Any:
    _expect(name in _TORCH_DTYPES, "an unknown dtype of torch")
    import torch

    dtype = getattr(torch, name)
    data = _unpack(text)
    _check_size(shape, dtype.itemsize, data)
    if name == "bool":
        _check_booleans(data)
    # bytearray: torch wants memory that may be written to, and keeps it.
    tensor = (
        torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype).reshape(shape)
        if data
        else torch.empty(shape, dtype=dtype)
    )
    if tag == "parameter":
        return torch.nn.Parameter(tensor, requires_grad=requires_grad)
    return tensor.requires_grad_(requires_grad)


def _check_size(shape: list, itemsize: int, data: bytes) -> None:
    sizes = all(type(size) is int and 0 <= size < 2**48 for size in shape)
    _expect(sizes and len(shape) <= _DIMENSIONS, "an impossible shape")
    _expect(math.prod(shape) * itemsize == len(data), "a shape that its bytes do not fill")
    if not data:
        # No byte was sent, but a sum over the missing dimension, and numpy itself where a string is
        # empty, make all the others.
        extent = math.prod(max(size, 1) for size in shape)
        _expect(extent <= COUNT_LIMIT, "an empty array of an impossible shape")


def _check_hashes(keys: list) -> None:
    # Numbers that all have one hash are easily found, and a set of them takes hours to build.
    counts = collections.Counter(map(hash, keys))
    _expect(max(counts.values(), default=0) <= 100, "keys that all have one hash")


def _check_booleans(data: bytes) -> None:
    # A truth value of 2 is true here and equal to True nowhere: no test expects that.
    _expect(not data.translate(None, b"\x00\x01"), "truth values other than 0 and 1")


def _numpy_dtype(name: str) -> bool:
    known = _NUMPY_DTYPE.fullmatch(name) is not None
    return known and (name[1] not in "mM" or _NUMPY_TIME.fullmatch(name) is not None)


def _is_field(name: Any) -> bool:
    return type(name) is str and _FIELD.fullmatch(name) is not None


@functools.lru_cache(maxsize=256)
def _named_tuple(name: str, fields: tuple[str, ...]) -> Callable[..., tuple]:
    # namedtuple writes a line of Python with the names in it, hence their check before.
    return collections.namedtuple(name, fields)


def _parts(parts: Sequence[Any], *kinds: type) -> Sequence[Any]:
    _expect(tuple(type(part) for part in parts) == kinds, "parts of other types")
    return parts


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise WireError(f"a malformed message: {otherwise}")


def _pack(data: bytes) -> str:
    if len(data) > TEXT_LIMIT:  # before base64 makes it longer still
        raise WireError(
            f"the value takes {len(data) >> 20} MB, at most {TEXT_LIMIT >> 20} can pass"
        )
    return base64.b64encode(data).decode("ascii")


def _unpack(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise WireError("a malformed message: no base64") from None


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
