"""Element types of matrices and their codecs: bf16, f16, f32, i32, i8, fp8, bf8, fp6, bf6, fp4.

gfx942 has the FNUZ forms of fp8 (e4m3, bias 8) and bf8 (e5m2, bias 16): no infinities, one NaN 0x80;
gfx950 the OCP forms (CDNA3 and CDNA4 ISA, data formats; OCP 8-bit floating point and MX specifications).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from wavesim.emulate.types import Array
from wavesim.isa.archs import ARCHITECTURES

SIZES = {
    **{"f64": 8, "i64": 8, "u64": 8, "f32": 4, "i32": 4, "u32": 4, "bf16": 2, "f16": 2, "i16": 2, "u16": 2},
    **{"i8": 1, "u8": 1, "fp8": 1, "bf8": 1, "e8m0": 1},
    **{"e4m3": 1, "e5m2": 1, "e4m3fnuz": 1, "e5m2fnuz": 1},
}
"""Bytes per element, of those that have whole bytes."""

STORAGE: dict[str, type[np.generic]] = {
    "bf16": np.uint16,
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
    "i32": np.int32,
    "u32": np.uint32,
    "i8": np.int8,
    "u8": np.uint8,
    "i16": np.int16,
    "u16": np.uint16,
    "i64": np.int64,
    "u64": np.uint64,
    "fp8": np.uint8,
    "bf8": np.uint8,
    "e8m0": np.uint8,
    "e4m3": np.uint8,
    "e5m2": np.uint8,
    "e4m3fnuz": np.uint8,
    "e5m2fnuz": np.uint8,
}
"""numpy types that hold an element's bits."""

PACKED = {"fp4": (4, 2, 1), "fp6": (6, 4, 3), "bf6": (6, 4, 3)}
"""Types of which several elements share whole bytes: bits of one, elements and bytes of such a group.
The first element has the lowest bits (CDNA4 ISA, matrix operands; OCP MX formats)."""


def pack(codes: Array, dtype: str) -> npt.NDArray[np.uint8]:
    """Encodings [..., elements of a group] as bytes [..., bytes of a group]."""
    bits, group, size = PACKED[dtype]
    places = (bits * np.arange(group)).astype(np.uint32)
    word = np.bitwise_or.reduce(codes.astype(np.uint32) << places, axis=-1)
    octets: npt.NDArray[np.uint8] = (word[..., None] >> (8 * np.arange(size)).astype(np.uint32)).astype(
        np.uint8
    )
    return octets


def unpack(octets: Array, dtype: str) -> npt.NDArray[np.uint8]:
    """The reverse of :func:`pack`."""
    bits, group, size = PACKED[dtype]
    word = np.bitwise_or.reduce(octets.astype(np.uint32) << (8 * np.arange(size)).astype(np.uint32), axis=-1)
    parts = word[..., None] >> (bits * np.arange(group)).astype(np.uint32)
    codes: npt.NDArray[np.uint8] = (parts & np.uint32((1 << bits) - 1)).astype(np.uint8)
    return codes


def f32_to_bf16(value: Array) -> npt.NDArray[np.uint16]:
    """float32 to bf16 bits, to nearest even; NaN stays NaN."""
    bits = np.ascontiguousarray(value, np.float32).view(np.uint32)
    rounded = bits >> np.uint32(16)
    rounded &= np.uint32(1)
    rounded += np.uint32(0x7FFF)
    rounded += bits
    rounded >>= np.uint32(16)
    nan = np.isnan(value)
    if nan.any():
        rounded = np.where(nan, np.uint32(0x7FFF), rounded)
    return rounded.astype(np.uint16)


@dataclass(frozen=True)
class Minifloat:
    """A float of at most 8 bits: every value in a table."""

    values: npt.NDArray[np.float32]

    def decode(self, bits: Array) -> npt.NDArray[np.float32]:
        """Values of the encodings ``bits``."""
        return self.values[bits]

    def encode(self, value: Array, *, saturate: bool = True) -> npt.NDArray[np.uint8]:
        """Nearest encodings, ties to even; beyond the range the largest finite value or, without
        ``saturate``, infinity, or NaN where the format has none."""
        half = len(self.values) // 2
        positive = self.values[:half]
        finite = np.flatnonzero(np.isfinite(positive))
        ladder = positive[finite].astype(np.float64)
        size = np.abs(value.astype(np.float64))
        above = np.clip(np.searchsorted(ladder, size), 0, len(ladder) - 1)
        below = np.maximum(above - 1, 0)
        gap_up, gap_down = ladder[above] - size, size - ladder[below]
        down = (gap_down < gap_up) | ((gap_down == gap_up) & (below % 2 == 0))
        code = finite[np.where(down, below, above)].astype(np.uint8)
        signed = code | np.where(np.signbit(value), half, 0).astype(np.uint8)
        signed = np.where((code == 0) & np.isnan(self.values[half]), 0, signed)  # FNUZ has no -0
        nan_code = int(np.flatnonzero(np.isnan(self.values))[0]) if np.isnan(self.values).any() else half - 1
        signed = np.where(np.isnan(value), nan_code, signed)
        if not saturate:
            step = ladder[-1] - ladder[-2]
            limit = ladder[-1] + step / 2
            beyond = (size > limit) | ((size == limit) & bool(len(ladder) % 2 == 0))  # the last is odd
            infinity = np.flatnonzero(np.isposinf(self.values))
            code_beyond = infinity[0] | np.where(np.signbit(value), half, 0) if len(infinity) else nan_code
            signed = np.where(beyond, code_beyond, signed)
        return signed.astype(np.uint8)


@cache
def minifloat(kind: str, arch: str) -> Minifloat:
    """The codec of ``fp8``, ``bf8``, ``fp6``, ``bf6`` or ``fp4`` on an architecture."""
    exponent_bits, mantissa_bits = {
        "fp8": (4, 3),
        "bf8": (5, 2),
        "fp6": (2, 3),
        "bf6": (3, 2),
        "fp4": (2, 1),
    }[kind]
    fnuz = kind in ("fp8", "bf8") and ARCHITECTURES[arch].fnuz
    bias = 2 ** (exponent_bits - 1) - 1 + int(fnuz)
    bits = np.arange(2 ** (1 + exponent_bits + mantissa_bits))
    sign = np.where(bits >> (exponent_bits + mantissa_bits), -1.0, 1.0)
    exponent = bits >> mantissa_bits & (2**exponent_bits - 1)
    mantissa = (bits & (2**mantissa_bits - 1)) / 2**mantissa_bits
    normal = (1 + mantissa) * np.exp2(exponent.astype(np.float64) - bias)
    subnormal = mantissa * np.exp2(1.0 - bias)
    values = sign * np.where(exponent == 0, subnormal, normal)
    magnitude = bits & (len(bits) // 2 - 1)
    if fnuz:
        values[len(bits) // 2] = np.nan
    elif kind == "fp8":
        values[magnitude == 0x7F] = np.nan
    elif kind == "bf8":
        values[magnitude == 0x7C] = np.inf * sign[magnitude == 0x7C]
        values[magnitude > 0x7C] = np.nan
    return Minifloat(values.astype(np.float32))


FORMS = {
    "e4m3": ("fp8", "gfx950"),
    "e5m2": ("bf8", "gfx950"),
    "e4m3fnuz": ("fp8", "gfx942"),
    "e5m2fnuz": ("bf8", "gfx942"),
}
"""Small floats by their own names: what the architectures that have them call them."""


def decode(bits: Array, dtype: str, arch: str) -> Array:
    """Stored elements as numbers: float32 for floats (float64 for f64), integers as they are."""
    dtype, arch = FORMS.get(dtype, (dtype, arch))
    if dtype == "e8m0":  # OCP MX: a power of two, 255 is no number
        power = np.exp2(bits.astype(np.float64) - 127)
        return np.where(bits == 255, np.nan, power)
    if dtype == "bf16":
        wide = bits.astype(np.uint32) << np.uint32(16)
        return wide.view(np.float32)
    if dtype == "f16":
        return bits.astype(np.float32)
    if dtype in ("fp8", "bf8") or dtype in PACKED:
        return minifloat(dtype, arch).decode(bits)
    return bits


def encode(value: Array, dtype: str, arch: str) -> Array:
    """Numbers (float32 or integers) rounded to stored elements."""
    dtype, arch = FORMS.get(dtype, (dtype, arch))
    if dtype == "e8m0":
        with np.errstate(divide="ignore"):
            power = np.round(np.log2(np.abs(value.astype(np.float64))))
        return (np.clip(power, -127, 127) + 127).astype(np.uint8)
    if dtype == "bf16":
        return f32_to_bf16(value)
    if dtype in ("fp8", "bf8") or dtype in PACKED:
        return minifloat(dtype, arch).encode(value)
    with np.errstate(over="ignore"):
        return np.asarray(value.astype(STORAGE[dtype]))


_MIX_ROW, _MIX_COLUMN, _MIX_SEED = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
"""Odd 32-bit constants (from the golden ratio and two primes) that spread row, column and seed."""


def uniform_bits(seed: int, rows: Array, columns: Array) -> npt.NDArray[np.uint32]:
    """32 pseudo-random bits for each (row, column): a counter hash, the same for every order of use.

    ``rows`` and ``columns`` are integer arrays that broadcast.
    """
    start = rows.astype(np.uint32) * np.uint32(_MIX_ROW)
    start ^= np.uint32(seed * _MIX_SEED & 0xFFFFFFFF)
    start ^= start >> np.uint32(15)
    start *= np.uint32(_MIX_COLUMN)
    mixed = start + columns.astype(np.uint32) * np.uint32(_MIX_ROW)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    mixed ^= mixed >> np.uint32(16)
    return np.asarray(mixed)


def random_values(seed: int, rows: Array, columns: Array, dtype: str) -> Array:
    """``random`` elements before rounding: floats uniform in [-1, 1); scales (e8m0) powers of two in
    [1/8, 8]; i8, u8 over their whole range; wider integers in 0..2^16 (less 2^15 if signed), so that sums
    of products stay in range."""
    bits = uniform_bits(seed, rows, columns)
    if dtype in ("i8", "u8"):
        return (bits >> np.uint32(24)).astype(np.uint8).view(STORAGE[dtype])
    if dtype == "e8m0":
        return np.exp2((bits >> np.uint32(16)) % np.uint32(7) - np.float64(3))
    if dtype[0] in "iu":
        offset = 1 << 15 if dtype[0] == "i" else 0
        return (bits >> np.uint32(16)).astype(np.int64) - offset
    value = (bits >> np.uint32(8)).astype(np.float32)
    value *= np.float32(2.0**-23)
    value -= np.float32(1.0)
    return value
