"""Floating-point vector ALU: arithmetic, rounding to integers, transcendentals, classes, mixed precision.

Each result is rounded once, in the mode that MODE asks for. Transcendentals are exact to the type's nearest,
where the hardware is within 1 ulp, and do not follow the rounding mode.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.emulate.float_mode import flushed, largest_for_overflow
from wavesim.emulate.operands import call, dword, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.rounding import Rounding, add, fused, multiply, narrow, scaled, to_odd, two_sum
from wavesim.emulate.semantics.vector.minmax import is_signalling
from wavesim.emulate.semantics.vector.valu import Function, finish_float, put_masked, rounded, vector
from wavesim.emulate.types import Array, Step
from wavesim.program import Modified, Operand

U32 = np.uint32
_THREE = "{0}_f32 {0}_f16 {0}_f64"
NEAREST = Rounding.NEAREST


def _three(name: str, function: Function) -> None:
    vector(_THREE.format(name), function)


def _subtract(a: Array, b: Array, rounding: Rounding) -> Array:
    return add(a, -b, rounding)


def _legacy_multiply(a: Array, b: Array, rounding: Rounding) -> Array:
    """A product that is 0 where either factor is, whatever the other one."""
    return np.where((a == 0) | (b == 0), a.dtype.type(0), multiply(a, b, rounding))


def twice_rounded(a: Array, b: Array, c: Array, rounding: Rounding = NEAREST) -> Array:
    """a * b + c, the product rounded too (V_MAD, V_MAC)."""
    if rounding is NEAREST:
        return np.asarray(a * b + c)
    return add(multiply(a, b, rounding), c, rounding)


def _flushing(function: Callable[..., Array]) -> Callable[..., Array]:
    """v_mad_f32 and similar have no denormals, whatever MODE says (LLVM selects them only where those are
    flushed)."""

    def run(*arrays: Array) -> Array:
        given = [flushed(array) if isinstance(array, np.ndarray) else array for array in arrays]
        return flushed(np.asarray(function(*given)))

    return run


ADD, MULTIPLY = rounded(np.add, add), rounded(np.multiply, multiply)
FUSED = rounded(fused, fused)
_three("v_add", ADD)
_three("v_mul", MULTIPLY)
vector("v_sub_f32 v_sub_f16", rounded(np.subtract, _subtract))
vector("v_subrev_f32 v_subrev_f16", rounded(lambda a, b: b - a, lambda a, b, mode: _subtract(b, a, mode)))
vector("v_mul_legacy_f32", rounded(lambda a, b: _legacy_multiply(a, b, NEAREST), _legacy_multiply))
_three("v_fma", FUSED)
vector("v_fma_legacy_f16", FUSED)
vector(
    "v_fmac_f32 v_fmac_f64",
    rounded(lambda d, a, b: fused(a, b, d), lambda d, a, b, mode: fused(a, b, d, mode)),
)
vector("v_fmamk_f32", rounded(lambda a, k, b: fused(a, k, b), lambda a, k, b, mode: fused(a, k, b, mode)))
vector("v_fmaak_f32", FUSED)
vector("v_mad_f16 v_mad_legacy_f16 v_madmk_f16 v_madak_f16", rounded(twice_rounded, twice_rounded))


def _accumulated(d: Array, a: Array, b: Array, rounding: Rounding = NEAREST) -> Array:
    return twice_rounded(a, b, d, rounding)


def _legacy_mad(a: Array, b: Array, c: Array, rounding: Rounding = NEAREST) -> Array:
    return add(_legacy_multiply(a, b, rounding), c, rounding)


vector("v_mac_f16", rounded(_accumulated, _accumulated))
vector("v_mac_f32", rounded(_flushing(_accumulated), _flushing(_accumulated)))
vector("v_mad_f32 v_madmk_f32 v_madak_f32", rounded(_flushing(twice_rounded), _flushing(twice_rounded)))
vector("v_mad_legacy_f32", rounded(_flushing(_legacy_mad), _flushing(_legacy_mad)))


def _fraction(value: Array) -> Array:
    """value - floor(value), which rounding must not carry to 1 (LLVM's llvm.amdgcn.fract)."""
    kind = value.dtype.type
    return np.asarray(np.minimum(value - np.floor(value), np.nextafter(kind(1), kind(0))))


_three("v_trunc", np.trunc)
_three("v_ceil", np.ceil)
_three("v_floor", np.floor)
_three("v_rndne", np.rint)
_three("v_fract", _fraction)


def _through_f64(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Computed in float64, rounded to the type once."""
    return lambda value: np.asarray(function(value.astype(np.float64)).astype(value.dtype))


_three("v_rcp", lambda a: np.asarray(1, a.dtype) / a)
_three("v_rsq", _through_f64(lambda a: 1 / np.sqrt(a)))
_three("v_sqrt", np.sqrt)
vector("v_rcp_iflag_f32", lambda a: np.float32(1) / a)


def _sine_turns(value: Array) -> Array:
    """sin(2 pi x): whole turns fall off exactly; +0 at half and whole turns, but -0 stays (V_SIN_F32)."""
    part = np.fmod(value, 1)
    zero = (np.abs(part) == 0.5) | (part == 0)
    return np.where(value == 0, value, np.where(zero, 0.0, np.sin(2 * np.pi * part)))


def _cosine_turns(value: Array) -> Array:
    """cos(2 pi x), 0 at a quarter turn."""
    part = np.abs(np.fmod(value, 1))
    return np.where((part == 0.25) | (part == 0.75), 0.0, np.cos(2 * np.pi * part))


vector("v_exp_f32 v_exp_f16 v_exp_legacy_f32", _through_f64(np.exp2))


def _logarithm(value: Array) -> Array:
    """log2; denormal f32 count as zero (LLVM scales them before v_log_f32, and folds so)."""
    return _through_f64(np.log2)(flushed(value) if value.dtype == np.float32 else value)


vector("v_log_f32 v_log_f16 v_log_legacy_f32", _logarithm)
vector("v_sin_f32 v_sin_f16", _through_f64(_sine_turns))
vector("v_cos_f32 v_cos_f16", _through_f64(_cosine_turns))
vector("v_ldexp_f32 v_ldexp_f64 v_ldexp_f16", rounded(scaled, scaled))
_three("v_frexp_mant", lambda a: np.frexp(a)[0])


def _exponent(value: Array) -> Array:
    """The exponent that frexp gives; 0 for zero, infinities and NaN."""
    return np.where(np.isfinite(value), np.frexp(value)[1], 0)


vector("v_frexp_exp_i32_f32 v_frexp_exp_i32_f64", _exponent)
vector("v_frexp_exp_i16_f16", lambda a: _exponent(a).astype(np.int16))

_CLASSES: tuple[tuple[int, Callable[[Array], Array]], ...] = (
    (0x001, is_signalling),
    (0x002, lambda a: np.isnan(a) & ~is_signalling(a)),
    (0x004, np.isneginf),
    (0x200, np.isposinf),
    (0x020, lambda a: (a == 0) & np.signbit(a)),
    (0x040, lambda a: (a == 0) & ~np.signbit(a)),
    (0x010, lambda a: _subnormal(a) & (a < 0)),
    (0x080, lambda a: _subnormal(a) & (a > 0)),
    (0x008, lambda a: _normal(a) & (a < 0)),
    (0x100, lambda a: _normal(a) & (a > 0)),
)


def _normal(value: Array) -> Array:
    return np.asarray(np.isfinite(value) & (np.abs(value) >= np.finfo(value.dtype).tiny))


def _subnormal(value: Array) -> Array:
    return np.asarray((value != 0) & (np.abs(value) < np.finfo(value.dtype).tiny))


def float_class(value: Array, mask: Array) -> Array:
    """v_cmp_class: whether ``value`` is of one of the kinds whose bits ``mask`` has set."""
    result = np.zeros(np.broadcast(value, mask).shape, np.bool_)
    for bits, test in _CLASSES:
        result |= ((mask & U32(bits)) != 0) & test(value)
    return result


def _mix(binding: Binding) -> Step:
    """v_fma_mix: each source is f32, or one half as f16 where op_sel_hi is set; signs change afterwards."""
    use_half = binding.modifier("op_sel_hi")
    high = binding.modifier("op_sel")
    halves = use_half if isinstance(use_half, tuple) else (0, 0, 0)
    picks = high if isinstance(high, tuple) else (0, 0, 0)
    name = binding.info.name
    first = len(binding.specs) - 3
    sources = [_mixed(binding, first + slot, bool(halves[slot]), picks[slot]) for slot in range(3)]
    row = vector_row(binding, binding.instruction.operands[0])
    put, old = put_masked(binding, row), binding.lanes.vgpr[row]
    finish, mode = finish_float(binding), binding.mode
    single = name == "v_fma_mix_f32"
    rounding, flush = mode.rounding(single), mode.flushes_results(single)

    def run() -> None:
        given = [read() for read in sources]
        if single:
            result = fused(given[0], given[1], given[2], rounding)
        else:  # f16 from the exact sum
            product = given[0].astype(np.float64) * given[1]
            result = narrow(to_odd(*two_sum(product, given[2].astype(np.float64))), np.float16, rounding)
            if mode.fp16_overflow:
                result = largest_for_overflow(result, given)
        result = flushed(result) if flush else result
        if finish is not None:
            result = finish(result)
        if single:
            put(result.view(U32))
            return
        bits = result.view(np.uint16).astype(U32)
        if name == "v_fma_mixlo_f16":
            put(old & U32(0xFFFF0000) | bits)
        else:
            put(old & U32(0xFFFF) | bits << U32(16))

    return run


def _mixed(binding: Binding, position: int, half: bool, high: int) -> Callable[[], Array]:
    given = binding.instruction.operands[position]
    negate = absolute = False
    operand: Operand = given
    if isinstance(given, Modified):
        operand, negate, absolute = given.operand, given.negate, given.absolute
    read = dword(binding, operand, 0, "f16" if half else "f32")
    shift = U32(16 if high else 0)
    flush = binding.mode.flushes_sources(not half)

    def value() -> Array:
        bits = call(read)
        if half:
            array: Array = (bits >> shift).astype(np.uint16).view(np.float16)
        else:
            array = np.ascontiguousarray(bits).view(np.float32)
        array = (flushed(array) if flush else array).astype(np.float32)
        array = np.abs(array) if absolute else array
        return -array if negate else array

    return value


semantics("v_fma_mix_f32 v_fma_mixlo_f16 v_fma_mixhi_f16")(_mix)
