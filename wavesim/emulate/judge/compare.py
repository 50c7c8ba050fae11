"""Compares stored elements with their reference: the scale, what agrees, what is wrong.

An element is right if it is off by at most the tolerance times the largest finite reference
(conventions.md). Equal infinities agree, and NaN with NaN; nothing else that is not finite does. Since one
huge reference would let anything pass for the others, an element must moreover be nearer to its reference
than an eighth of the size of the terms that it is made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.elements import FORMS, minifloat
from wavesim.emulate.types import Array

Places = npt.NDArray[np.bool_]

OVERFLOW = {"f16": 65520.0, "bf16": 2.0**128 * (1 - 2.0**-9), "f32": 2.0**128 * (1 - 2.0**-25)}
"""From here on a number rounds to infinity, by type (halfway from the largest number to the next power)."""

SMALLEST = {"f16": 2.0**-14, "bf16": 2.0**-126, "f32": 2.0**-126, "f64": 2.0**-1022}
"""Smallest normal number: below, precision is absolute, and results may be flushed to zero."""

SHARE = 1 / 8
"""Of its terms' size, by which an element may be off at most."""


@dataclass(frozen=True)
class Comparison:
    """Elements compared with a reference: off by more than the tolerance (``bad``); off by less only because
    another reference is far larger (``hidden``); ``error`` is 0 where they agree and may be infinite."""

    bad: Places
    hidden: Places
    error: Array


def smallest_normal(dtype: str, arch: str) -> float:
    """The smallest normal number of a type; 0 of integers."""
    kind, arch = FORMS.get(dtype, (dtype, arch))
    if kind in ("fp8", "bf8"):
        return 8 * float(minifloat(kind, arch).values[1]) / (1 if kind == "fp8" else 2)
    return SMALLEST.get(kind, 0.0)


def _end_of_range(dtype: str, arch: str) -> tuple[float, bool]:
    """From where on a type holds no number, and whether its last one is taken then (8-bit floats)."""
    kind, arch = FORMS.get(dtype, (dtype, arch))
    if kind in ("fp8", "bf8"):
        values = minifloat(kind, arch).values
        return float(values[np.isfinite(values)].max()), True
    return OVERFLOW.get(kind, np.inf), False


def in_range(reference: Array, dtype: str, arch: str) -> Array:
    """The reference as the type can hold it: past its range infinity (but for a little, which rounding may
    bring back), of 8-bit floats the largest number (conversions to them saturate)."""
    limit, saturates = _end_of_range(dtype, arch)
    if saturates:
        return np.clip(reference, -limit, limit)
    beyond = np.abs(reference) >= limit * (1 + 2.0**-7)
    return np.where(beyond, np.copysign(np.inf, reference), reference)


def finite_scale(references: list[Array]) -> float:
    """The largest finite magnitude of all references; 0 if there is none."""
    largest = 0.0
    for reference in references:
        finite = np.abs(reference[np.isfinite(reference)])
        largest = max(largest, float(finite.max()) if finite.size else 0.0)
    return largest


def compare(
    got: Array,
    reference: Array,
    allowed: float,
    form: tuple[str, str],
    floor: float,
    sizes: Callable[[], Array],
) -> Comparison:
    """Compare elements.

    Args:
        got: what is stored, float64.
        reference: of the same shape, as :func:`in_range` gives it.
        allowed: the largest error that is right (tolerance times scale).
        form: type of what is stored, and architecture.
        floor: an error that is always too small to be a fault (the smallest normal number).
        sizes: gives the sizes of the terms of the elements; asked for only where they matter.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        agree = (got == reference) | np.isnan(got) & np.isnan(reference)
        limit, saturates = _end_of_range(*form)
        if saturates:
            at_the_end = ~np.isfinite(got) & (np.abs(reference) >= limit)
        else:  # within the tolerance of the end both the last number and infinity are right
            at_the_end = np.isinf(got) & (got * reference > 0) & (np.abs(reference) >= limit - allowed)
        error = np.where(agree | at_the_end, 0.0, np.abs(got - reference))
    error = np.where(np.isnan(error), np.inf, error)
    bad = ~(error <= allowed)
    hidden = np.zeros_like(bad)
    with np.errstate(invalid="ignore"):
        suspect = ~bad & (error > np.maximum(floor, SHARE * np.abs(reference)))
    if suspect.any():
        hidden = suspect & (error > SHARE * sizes())
    return Comparison(bad, hidden, error)
