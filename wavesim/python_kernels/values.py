"""Python values as a launch's arguments: arrays, numbers, and texts as launch files have them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.emulate.elements import PACKED, STORAGE, encode
from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.file import parse_argument
from wavesim.front.launch.model import MatrixArgument

_OF_NUMPY = {
    np.dtype(kind): name
    for name, kind in STORAGE.items()
    if name not in ("bf16", "fp8", "bf8", "e8m0", "e4m3", "e5m2", "e4m3fnuz", "e5m2fnuz")
}
_OF_TORCH = {
    "float8_e4m3fn": "e4m3",
    "float8_e5m2": "e5m2",
    "float8_e4m3fnuz": "e4m3fnuz",
    "float8_e5m2fnuz": "e5m2fnuz",
    "bfloat16": "bf16",
}
_SCALARS = {"f32": float, "f64": float}


@dataclass(frozen=True)
class Value:
    """An argument: ``text`` is what a launch file says of it, without the data of ``content``, which are a
    matrix's elements as they lie in memory. ``fields`` are the dwords of a struct, in place of all that."""

    name: str
    dtype: str
    text: str
    is_matrix: bool
    shape: tuple[int, ...] = ()
    number: int | float | None = None
    content: npt.NDArray[Any] | None = None
    fields: tuple[int, ...] = ()

    @property
    def elements(self) -> int:
        """Of a matrix."""
        return math.prod(self.shape)

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number."""
        return type(self.number) is int


def read_value(name: str, given: Any, dtype: str, arch: str) -> Value:
    """An argument of a kernel.

    Args:
        name: of the parameter.
        given: an array (anything that numpy takes, torch's on the CPU too), a number, or a text such as
            ``"bf16[128,512]:random"``.
        dtype: the element type that the kernel has it as, or nothing: the value's own.
        arch: the architecture, which says what fp8 is.

    Raises:
        UserError: neither of these, or elements that are not of the type.
    """
    if isinstance(given, str):
        return _of_text(name, given, dtype)
    if isinstance(given, bool | int | float | np.generic):
        return _of_number(name, given.item() if isinstance(given, np.generic) else given, dtype)
    return _of_array(name, given, dtype, arch)


def _of_text(name: str, text: str, dtype: str) -> Value:
    parsed = parse_argument(f"{name}={text}", 0, {}, SourceSpan(f"argument {name}"))
    if dtype and parsed.dtype != dtype:
        raise UserError(f"argument {name}: {text!r}, where the kernel has {dtype}")
    if isinstance(parsed, MatrixArgument):
        shape = (parsed.rows, parsed.cols) if "," in text else (parsed.cols,)
        return Value(name, parsed.dtype, text, True, shape)
    return Value(name, parsed.dtype, text, False, number=parsed.value)


def _of_number(name: str, number: bool | int | float, dtype: str) -> Value:
    if not dtype:
        dtype = "f32" if isinstance(number, float) else "i32" if -(2**31) <= number < 2**31 else "i64"
    value = _SCALARS.get(dtype, int)(number)
    return Value(name, dtype, f"{dtype}:{value}", False, number=value)


def _of_array(name: str, given: Any, dtype: str, arch: str) -> Value:
    array, own = _elements(name, given)
    if not dtype:
        dtype = own
    if dtype in PACKED:
        raise UserError(f"argument {name}: {dtype} has no array; give its bytes as u8")
    if own != dtype:
        if (
            own[0] in "iu"
            and array.dtype.itemsize == np.dtype(STORAGE[dtype]).itemsize
            and dtype[0] not in "iu"
        ):
            array = array.view(STORAGE[dtype])  # the bits of a type that numpy lacks
        else:
            array = encode(array, dtype, arch)
    if array.size == 0:
        raise UserError(f"argument {name}: an array without elements")
    rows = int(np.prod(array.shape[:-1])) if array.ndim > 1 else 1
    text = f"{dtype}[{rows},{array.shape[-1] if array.ndim else 1}]"
    content = np.ascontiguousarray(array).reshape(rows, -1)
    return Value(name, dtype, text, True, array.shape or (1,), content=content)


def _elements(name: str, given: Any) -> tuple[npt.NDArray[Any], str]:
    """The array as numpy has it, and the type of its elements."""
    kind = str(getattr(given, "dtype", "")).rpartition(".")[2]
    if hasattr(given, "detach"):  # torch
        given = given.detach().cpu()
        if kind in _OF_TORCH:
            import torch

            whole = torch.int16 if kind == "bfloat16" else torch.uint8
            return np.asarray(given.view(whole)).view(STORAGE[_OF_TORCH[kind]]), _OF_TORCH[kind]
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if kind in _OF_TORCH and array.dtype.itemsize == np.dtype(STORAGE[_OF_TORCH[kind]]).itemsize:
        return array.view(STORAGE[_OF_TORCH[kind]]), _OF_TORCH[kind]  # ml_dtypes
    if array.dtype == np.bool_:
        array = array.view(np.int8)
    own = _OF_NUMPY.get(array.dtype)
    if own is None:
        raise UserError(
            f"argument {name}: {type(given).__name__} of {array.dtype}",
            None,
            "an array of numpy, a number, or a text such as 'bf16[128,512]:random'",
        )
    return array, own
