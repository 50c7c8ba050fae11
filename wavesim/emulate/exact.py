"""float64 multiply-add by integers, number by number: for values near the ends of the range."""

from __future__ import annotations

import math

import numpy as np

from wavesim.emulate.types import Array

PRECISION, LEAST_EXPONENT, MOST = 53, -1074, 2**1024
NEAREST, UP, DOWN = 0, 1, 2


def _parts(value: float) -> tuple[int, int]:
    """A finite number as integer times a power of two."""
    mantissa, exponent = math.frexp(value)
    return int(mantissa * 2.0**PRECISION), exponent - PRECISION


def round_exact(mantissa: int, exponent: int, rounding: int) -> float:
    """mantissa * 2 ** exponent (not zero) as float64, rounded once; overflow by the mode (IEEE 754, 7.4)."""
    negative, size = mantissa < 0, abs(mantissa)
    away = rounding == (DOWN if negative else UP)
    drop = max(size.bit_length() - PRECISION, LEAST_EXPONENT - exponent)
    if drop > 0:
        rest = size & (1 << drop) - 1
        size >>= drop
        half = 1 << (drop - 1)
        up = rest > half or (rest == half and size & 1) if rounding == NEAREST else bool(rest) and away
        size, exponent = size + int(up), exponent + drop
    if size and size.bit_length() + exponent > 1024:
        result = math.inf if rounding == NEAREST or away else math.ldexp(2**PRECISION - 1, 1024 - PRECISION)
    else:
        result = math.ldexp(size, exponent)
    return -result if negative else result


def exact_fused(a: Array, b: Array, c: Array | None, rounding: int, power: Array | None = None) -> Array:
    """(a * b + c) * 2 ** power of finite arrays of one shape, with one rounding."""
    shape = a.shape
    addends = np.zeros(shape) if c is None else c
    powers = np.zeros(shape, np.int64) if power is None else power
    found = [
        _single(*numbers, rounding, c is None)
        for numbers in zip(
            a.ravel().tolist(),
            b.ravel().tolist(),
            addends.ravel().tolist(),
            powers.ravel().tolist(),
            strict=True,
        )
    ]
    return np.array(found, np.float64).reshape(shape)


def _single(a: float, b: float, c: float, power: int, rounding: int, alone: bool) -> float:
    (first, first_exponent), (second, second_exponent), (third, third_exponent) = map(_parts, (a, b, c))
    product, exponent = first * second, first_exponent + second_exponent
    if not product and not third:
        return a * b if alone else a * b + c
    if third and not product:
        product, exponent = third, third_exponent
    elif third:
        shift = exponent - third_exponent
        product = (product << shift) + third if shift >= 0 else product + (third << -shift)
        exponent = min(exponent, third_exponent)
    if not product:
        return -0.0 if rounding == DOWN else 0.0
    return round_exact(product, exponent + power, rounding)
