"""Matrices whose data lie in a file of numpy's (``.npy``) beside the launch file."""

from __future__ import annotations

import re
from pathlib import Path

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.inputs import note_input

MAX_ARRAY_BYTES = 1 << 30
_OF_8_BITS = ("e4m3", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0")


def element_bits(dtype: str) -> int:
    """Bits of an element of a launch file's type."""
    if dtype in _OF_8_BITS:
        return 8
    digits = re.search(r"\d+$", dtype)
    assert digits is not None, dtype
    return int(digits[0])


def read_elements(path: Path, dtype: str, shape: tuple[int, int], span: SourceSpan) -> bytes:
    """The bytes of a matrix of ``shape`` (rows, columns), as they lie in memory. An array of numpy has
    elements of the same size; it may have other dimensions, such as one. Elements that share bytes (fp4)
    come as bytes. Types that numpy lacks (bf16) come as whole numbers of their size.

    Raises:
        UserError: no such file, no array, or one of other elements or another number of them.
        LimitExceeded: larger than 1 GiB.
    """
    import numpy as np

    note_input(path)
    try:
        if path.stat().st_size > MAX_ARRAY_BYTES:
            raise LimitExceeded(f"{path}: more than {MAX_ARRAY_BYTES} bytes", span)
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = getattr(error, "strerror", None) or "not an array that numpy.save wrote"
        raise UserError(f"cannot read {path}: {why}", span) from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path}: several arrays", span, "one array, as numpy.save writes it")
    bits = element_bits(dtype)
    size, wanted = shape[0] * shape[1] * bits // 8, max(1, bits // 8)
    if (
        array.dtype.itemsize != wanted
        or array.dtype.kind not in "fiub"
        or not _is_of(array.dtype.kind, dtype)
    ):
        raise UserError(f"{path}: elements of {array.dtype}, where {dtype} is wanted", span)
    if array.nbytes != size:
        raise UserError(
            f"{path}: {array.size} elements, where the matrix has {shape[0]} x {shape[1]} of {dtype}", span
        )
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def _is_of(kind: str, dtype: str) -> bool:
    """Whether elements of numpy's ``kind`` may stand for ``dtype``: floats not for whole numbers, nor for
    floats that numpy lacks."""
    return kind != "f" or dtype in ("f16", "f32", "f64")
