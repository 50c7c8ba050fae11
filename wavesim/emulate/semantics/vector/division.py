"""The three steps around a division's Newton iteration: v_div_scale, v_div_fmas, v_div_fixup.

v_div_scale multiplies numerator or denominator by a power of two, so that no step of the iteration overflows
or becomes denormal; VCC says that v_div_fmas has to undo it; v_div_fixup puts in what no iteration gives
(CDNA3 ISA, 12.9, pseudo-code of the three). Three places of that text cannot be meant:

- For f32, whether the reciprocal is denormal is asked in f32 here.
- A denominator whose reciprocal is denormal is scaled down; the text scales it up, to infinity, where the
  quotient is denormal too.
- v_div_fmas multiplies by what undoes the scaling, 2 ** 64 or 2 ** -64 (f64: 128) by the size of the
  quotient, as the RDNA3 ISA has it.

A quotient that is beyond the range even when scaled, for which the iteration gives NaN, becomes infinite in
v_div_fixup (the text's OVERFLOW).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wavesim.emulate.exact import exact_fused
from wavesim.emulate.operands import call
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.rounding import Rounding, fused, narrow, to_odd, two_sum
from wavesim.emulate.semantics.vector.minmax import quiet
from wavesim.emulate.semantics.vector.valu import bind_vector, mask_writer, sources_of, vector, writer
from wavesim.emulate.state import VCC
from wavesim.emulate.types import Array, Step


@dataclass(frozen=True, slots=True)
class _Format:
    """``power``: of the scaling; ``near_most``: difference of exponents from which a quotient is near the
    largest number; ``tiny``: exponent field up to which a numerator is; ``underflow``: difference of
    exponents below which a quotient is zero."""

    bits: type[np.unsignedinteger]
    mantissa: int
    exponent_mask: int
    bias: int
    power: int
    near_most: int
    tiny: int
    underflow: int

    def exponent(self, value: Array) -> Array:
        """The exponent field."""
        field = value.view(self.bits) >> self.bits(self.mantissa)
        return np.asarray((field & self.bits(self.exponent_mask)).astype(np.int64))


_FORMATS: dict[type[np.generic], _Format] = {
    np.float32: _Format(np.uint32, 23, 0xFF, 127, 64, 96, 23, -150),
    np.float64: _Format(np.uint64, 52, 0x7FF, 1023, 128, 768, 53, -1075),
}


def _denormal(value: Array) -> Array:
    return np.asarray((value != 0) & (np.abs(value) < np.finfo(value.dtype).tiny))


def div_scale(value: Array, denominator: Array, numerator: Array) -> tuple[Array, Array]:
    """``value`` (one of the other two) scaled for the iteration, and whether the quotient must be scaled."""
    value, denominator, numerator = np.broadcast_arrays(value, denominator, numerator)
    kind = value.dtype.type
    form = _FORMATS[kind]
    denominator_given = value.view(form.bits) == denominator.view(form.bits)
    numerator_given = value.view(form.bits) == numerator.view(form.bits)
    exponent = form.exponent(numerator)
    distance = exponent - form.exponent(denominator)
    small_reciprocal = _denormal(kind(1) / denominator)
    small_quotient = _denormal(numerator / denominator)
    up, down = np.ldexp(value, form.power), np.ldexp(value, -form.power)
    only_denominator = np.where(denominator_given, up, value)
    lesser_denominator = np.where(denominator_given, down, value)
    only_numerator = np.where(numerator_given, up, value)
    cases: tuple[tuple[Array, Array, bool], ...] = (
        ((numerator == 0) | (denominator == 0), np.full_like(value, np.nan), False),
        (distance >= form.near_most, only_denominator, True),
        (_denormal(denominator), up, False),
        (small_reciprocal & small_quotient, lesser_denominator, True),
        (small_reciprocal, down, False),
        (small_quotient, only_numerator, True),
        (exponent <= form.tiny, up, False),
    )
    conditions = [condition for condition, _, _ in cases]
    result = np.select(conditions, [scaled for _, scaled, _ in cases], value)
    undo = np.select(conditions, [np.full(value.shape, flag) for _, _, flag in cases], False)
    return result, undo


@semantics("v_div_scale_f32 v_div_scale_f64")
def _bind_div_scale(binding: Binding) -> Step:
    put, put_flag = writer(binding), mask_writer(binding, 1)
    sources = sources_of(binding)

    def run() -> None:
        result, undo = div_scale(*[call(each) for each in sources])
        put(result)
        put_flag(np.broadcast_to(undo, binding.lanes.exec.shape))

    return run


def div_fmas(a: Array, b: Array, c: Array, undo: Array, rounding: Rounding) -> Array:
    """a * b + c, times the power that undoes v_div_scale's where ``undo``; rounded once."""
    a, b, c, undo = np.broadcast_arrays(a, b, c, undo)
    result = fused(a, b, c, rounding)
    kind = a.dtype.type
    form = _FORMATS[kind]
    where = undo & np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    if not where.any():
        return result
    power = np.where(form.exponent(c) > form.bias, form.power, -form.power)[where]
    parts = a[where], b[where], c[where]
    if kind is np.float64:
        changed = exact_fused(*parts, int(rounding), power)
    else:
        odd = to_odd(*two_sum(parts[0].astype(np.float64) * parts[1], parts[2].astype(np.float64)))
        changed = narrow(np.ldexp(odd, power.astype(np.int32)), kind, rounding)
    result = np.array(result)
    result[where] = changed
    return result


def _bind_div_fmas(binding: Binding) -> Step:
    lanes = binding.lanes
    rounding = binding.mode.rounding(binding.specs[0].type == "f32")
    return bind_vector(binding, lambda a, b, c: div_fmas(a, b, c, lanes.read_mask(VCC), rounding))


semantics("v_div_fmas_f32 v_div_fmas_f64")(_bind_div_fmas)


def div_fixup(quotient: Array, denominator: Array, numerator: Array) -> Array:
    """The quotient with its sign, and the special cases."""
    quotient, denominator, numerator = np.broadcast_arrays(quotient, denominator, numerator)
    kind = quotient.dtype.type
    negative = np.signbit(denominator) != np.signbit(numerator)
    sign = np.where(negative, kind(-1), kind(1))
    zero_below, zero_above = denominator == 0, numerator == 0
    infinite_below, infinite_above = np.isinf(denominator), np.isinf(numerator)
    conditions = [
        np.isnan(numerator),
        np.isnan(denominator),
        (zero_below & zero_above) | (infinite_below & infinite_above),
        zero_below | infinite_above,
        infinite_below | zero_above,
    ]
    nan, infinity, zero = kind(-np.nan), np.copysign(kind(np.inf), sign), np.copysign(kind(0), sign)
    values: list[Array] = [quiet(numerator), quiet(denominator), np.full_like(quotient, nan), infinity, zero]
    if kind in _FORMATS:
        form = _FORMATS[kind]
        distance = form.exponent(numerator) - form.exponent(denominator)
        conditions += [distance < form.underflow, distance > form.bias + 2]
        values += [zero, infinity]
    return np.select(conditions, values, np.copysign(quotient, sign))


vector("v_div_fixup_f32 v_div_fixup_f16 v_div_fixup_f64 v_div_fixup_legacy_f16", div_fixup)
