"""Correctly rounded float arithmetic in any rounding mode: add, multiply, fused multiply-add, narrowing.

f16 and f32 go through float64 rounded to odd: the last bit is set where something was cut off. A second
rounding to a type with at least two bits less then gives what one rounding of the exact value gives
(Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008). f64 keeps what a sum or product
cannot hold in a second number, by the same paper; values near the ends of the range go through integers.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from wavesim.emulate.exact import exact_fused
from wavesim.emulate.types import Array

_SPLITTER = float(2**27 + 1)
_LEAST, _MOST = 2.0**-400, 2.0**400
"""Magnitudes between which products, sums and their errors neither overflow nor become denormal."""


class Rounding(IntEnum):
    """Rounding modes by their encoding in MODE (CDNA3 ISA, 6.4)."""

    NEAREST = 0
    UP = 1
    DOWN = 2
    ZERO = 3


def directed(nearest: Array, error: Array, rounding: Rounding) -> Array:
    """``nearest`` moved by one place where the mode asks for it; ``error`` is exact value less ``nearest``
    (of which only the sign counts)."""
    kind = nearest.dtype.type
    if rounding is Rounding.NEAREST:
        return nearest
    if rounding is Rounding.UP:
        return np.where(error > 0, np.nextafter(nearest, kind(np.inf)), nearest)
    if rounding is Rounding.DOWN:
        return np.where(error < 0, np.nextafter(nearest, kind(-np.inf)), nearest)
    beyond = np.where(np.signbit(nearest), error > 0, error < 0)
    return np.where(beyond, np.nextafter(nearest, kind(0)), nearest)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and what it leaves out, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded product and what it leaves out, exactly (Dekker); no part may overflow or underflow."""
    product = a * b
    large_a, large_b = a * _SPLITTER, b * _SPLITTER
    high_a, high_b = large_a - (large_a - a), large_b - (large_b - b)
    low_a, low_b = a - high_a, b - high_b
    error = ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b
    return product, error


def to_odd(total: Array, error: Array) -> Array:
    """A float64 sum that leaves out ``error``, rounded to odd instead of to nearest."""
    total = np.asarray(total, np.float64)
    wrong = (error != 0) & np.isfinite(total) & np.isfinite(error)
    bits = np.array(total).view(np.int64)
    step = np.where(np.signbit(error) == np.signbit(total), 1, -1)
    return (bits + np.where(wrong & (bits & 1 == 0), step, 0)).view(np.float64)


def narrow(value: Array, dtype: type[np.generic], rounding: Rounding = Rounding.NEAREST) -> Array:
    """float64 values, exact or rounded to odd, as ``dtype``: one rounding of the exact value."""
    near = np.asarray(value).astype(dtype)
    if rounding is Rounding.NEAREST or dtype is np.float64:
        return near
    with np.errstate(invalid="ignore"):
        error = np.where(np.isnan(value) | np.isinf(value), 0, value - near.astype(np.float64))
    return directed(near, error, rounding)


def fused(a: Array, b: Array, c: Array, rounding: Rounding = Rounding.NEAREST) -> Array:
    """a * b + c with one rounding; the type of the result is that of ``a``."""
    if a.dtype == np.float64:
        a, b, c = np.broadcast_arrays(a, b, c)
        return _fused_f64(a, b, c, rounding)
    kind: Any = a.dtype.type
    product = a.astype(np.float64) * b  # exact: at most 48 bits
    wide = product + c
    if rounding is Rounding.NEAREST and not _doubtful(wide, kind):
        return np.asarray(wide.astype(kind))
    total, error = two_sum(product, np.asarray(c, np.float64))
    result = narrow(to_odd(total, error), kind, rounding)
    return np.where(total == 0, _signed_zero(result, product, c, rounding), result)


def _doubtful(wide: Array, kind: Any) -> bool:
    """Whether a second rounding, from float64, may differ from one of the exact value: for any value half
    way between two of ``kind``, and any small enough to have fewer bits there."""
    dropped = 53 - int(np.finfo(kind).nmant) - 1
    bits = wide.view(np.int64)
    middle = (bits & ((1 << dropped) - 1)) == 1 << (dropped - 1)
    small = np.abs(wide) < 4 * float(np.finfo(kind).tiny)
    return bool((middle | small).any())


def _signed_zero(result: Array, first: Array, second: Array, rounding: Rounding) -> Array:
    """A sum that is exactly zero, of terms that differ in sign, is -0 when rounding down."""
    if rounding is not Rounding.DOWN:
        return result
    differ = np.signbit(first) != np.signbit(second)
    return np.where((result == 0) & differ, result.dtype.type(-0.0), result)


def _fused_f64(a: Array, b: Array, c: Array, rounding: Rounding) -> Array:
    naive = a * b + c
    sizes = [np.abs(each) for each in (a, b, c)]
    inside = np.ones(naive.shape, np.bool_)
    for size in sizes:
        inside &= (size == 0) | ((size > _LEAST) & (size < _MOST))
    finite = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    product, product_error = _two_product(a, b)
    low, low_error = two_sum(c, product_error)
    high, high_error = two_sum(product, low)
    rest = to_odd(*two_sum(low_error, high_error))
    result = high + rest
    result = directed(result, (high - result) + rest, rounding)
    result = np.where(result == 0, _signed_zero(naive, product, c, rounding), result)
    # a product of finite numbers that overflows is still no match for an infinite c
    special = np.where(np.isfinite(a) & np.isfinite(b), c, naive)
    result = np.where(finite, result, special)
    outside = finite & ~inside
    if outside.any():
        result[outside] = exact_fused(a[outside], b[outside], c[outside], int(rounding))
    return result


def add(a: Array, b: Array, rounding: Rounding) -> Array:
    """a + b, rounded as asked for."""
    return fused(a, np.ones((), a.dtype), b, rounding)


def multiply(a: Array, b: Array, rounding: Rounding) -> Array:
    """a * b, rounded as asked for."""
    if a.dtype == np.float64:
        result = fused(a, b, np.zeros((), a.dtype), rounding)
        return np.where(result == 0, np.copysign(result, a * b), result)
    return narrow(a.astype(np.float64) * b, a.dtype.type, rounding)


def scaled(value: Array, exponent: Array, rounding: Rounding = Rounding.NEAREST) -> Array:
    """value * 2 ** exponent with one rounding."""
    if rounding is Rounding.NEAREST:
        return np.asarray(np.ldexp(value, exponent.astype(np.int32)))
    power = np.clip(exponent.astype(np.int64), -2200, 2200)
    if value.dtype != np.float64:
        wide = np.ldexp(value.astype(np.float64), np.clip(power, -500, 500).astype(np.int32))
        return narrow(wide, value.dtype.type, rounding)
    value, power = np.broadcast_arrays(value, power)
    finite = np.isfinite(value)
    kept = np.where(finite, value, 0.0)
    return np.where(finite, exact_fused(kept, np.ones_like(kept), None, int(rounding), power), value)
