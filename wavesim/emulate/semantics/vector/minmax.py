"""Float minimum, maximum and median by the manuals' pseudo-code (CDNA3 and CDNA4 ISA, V_MIN_F32 ...).

A number beats NaN; in IEEE mode a signalling NaN wins, as a quiet one. -0 is less than +0. V_MINIMUM3 and
V_MAXIMUM3 let NaN through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.emulate.float_mode import FloatMode
from wavesim.emulate.semantics.vector.valu import ByMode, vector
from wavesim.emulate.types import Array

_BITS: dict[type[np.generic], tuple[type[np.unsignedinteger], int]] = {
    np.float16: (np.uint16, 9),
    np.float32: (np.uint32, 22),
    np.float64: (np.uint64, 51),
}
"""The bits as integers, and the place of the bit that makes NaN quiet."""


def is_signalling(value: Array) -> Array:
    """Whether values are signalling NaN."""
    unsigned, place = _BITS[value.dtype.type]
    return np.asarray(np.isnan(value) & (value.view(unsigned) & unsigned(1 << place) == 0))


def quiet(value: Array) -> Array:
    """NaN with its quiet bit set."""
    unsigned, place = _BITS[value.dtype.type]
    return np.asarray((value.view(unsigned) | unsigned(1 << place)).view(value.dtype))


def _ordered(a: Array, b: Array, choose: Any, join: Any) -> Array:
    """``choose`` of two, where equal ones (zeros of either sign) are ``join``-ed bit by bit."""
    unsigned, _ = _BITS[a.dtype.type]
    same = join(a.view(unsigned), b.view(unsigned)).view(a.dtype)
    return np.asarray(np.where(a == b, same, choose(a, b)))


def _number(choose: Any, join: Any) -> Callable[[Array, Array, bool], Array]:
    def run(a: Array, b: Array, ieee: bool) -> Array:
        result = _ordered(a, b, choose, join)
        nan_a, nan_b = np.isnan(a), np.isnan(b)
        if not (nan_a.any() or nan_b.any()):
            return result
        result = np.where(nan_a, b, np.where(nan_b, a, result))
        if ieee:
            result = np.where(is_signalling(b), quiet(b), result)
            result = np.where(is_signalling(a), quiet(a), result)
        return result

    return run


minimum_number = _number(np.fmin, np.bitwise_or)
maximum_number = _number(np.fmax, np.bitwise_and)


def minimum(a: Array, b: Array) -> Array:
    """The lesser; NaN if either is."""
    return np.where(np.isnan(a) | np.isnan(b), a + b, _ordered(a, b, np.fmin, np.bitwise_or))


def maximum(a: Array, b: Array) -> Array:
    """The greater; NaN if either is."""
    return np.where(np.isnan(a) | np.isnan(b), a + b, _ordered(a, b, np.fmax, np.bitwise_and))


def median(a: Array, b: Array, c: Array, ieee: bool) -> Array:
    """The middle one; with any NaN, the minimum (V_MED3_F32)."""
    low = minimum_number(minimum_number(a, b, ieee), c, ieee)
    most = maximum_number(maximum_number(a, b, ieee), c, ieee)
    rest = np.where(
        most == a,
        maximum_number(b, c, ieee),
        np.where(most == b, maximum_number(a, c, ieee), maximum_number(a, b, ieee)),
    )
    return np.where(np.isnan(a) | np.isnan(b) | np.isnan(c), low, rest)


def _by_mode(function: Callable[..., Array]) -> ByMode:
    def under(mode: FloatMode, single: bool) -> Callable[..., Array]:
        ieee = mode.ieee
        return lambda *arrays: function(*arrays, ieee)

    return ByMode(under)


MINIMUM, MAXIMUM = _by_mode(minimum_number), _by_mode(maximum_number)
vector("v_min_f32 v_min_f16 v_min_f64", MINIMUM)
vector("v_max_f32 v_max_f16 v_max_f64", MAXIMUM)
vector(
    "v_min3_f32 v_min3_f16",
    _by_mode(lambda a, b, c, ieee: minimum_number(minimum_number(a, b, ieee), c, ieee)),
)
vector(
    "v_max3_f32 v_max3_f16",
    _by_mode(lambda a, b, c, ieee: maximum_number(maximum_number(a, b, ieee), c, ieee)),
)
vector("v_med3_f32 v_med3_f16", _by_mode(median))
vector("v_minimum3_f32", lambda a, b, c: minimum(minimum(a, b), c))
vector("v_maximum3_f32", lambda a, b, c: maximum(maximum(a, b), c))
