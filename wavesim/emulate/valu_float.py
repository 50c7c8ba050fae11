"""Floating-point vector ALU: arithmetic, rounding, transcendentals, conversions (f32, f16, f64, bf16).

Denormals are kept, as compilers for these architectures ask for. Transcendentals are exact to the type's
rounding, where the hardware is within 1 ulp. Division helpers follow the ISA manual's pseudo-code as far
as normal numbers go.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.emulate.elements import f32_to_bf16, minifloat
from wavesim.emulate.operands import bf16_to_f32, call, dword, vector_row
from wavesim.emulate.registry import Array, Binding, Step, semantics
from wavesim.emulate.valu import (
    bind_vector,
    finish_float,
    mask_writer,
    put_masked,
    sources_of,
    vector,
    writer,
)
from wavesim.program import Modified, Operand

U32 = np.uint32
_THREE = "{0}_f32 {0}_f16 {0}_f64"


def _three(name: str, function: Callable[..., Array]) -> None:
    vector(_THREE.format(name), function)


def fused(a: Array, b: Array, c: Array) -> Array:
    """a * b + c with one rounding (through float64; for f64 two roundings)."""
    if a.dtype == np.float64:
        return np.asarray(a * b + c)
    wide = a.astype(np.float64) * b + c
    return np.asarray(wide.astype(a.dtype))


_three("v_add", np.add)
_three("v_mul", np.multiply)
vector("v_sub_f32 v_sub_f16", np.subtract)
vector("v_subrev_f32 v_subrev_f16", lambda a, b: b - a)
_three("v_min", np.fmin)
_three("v_max", np.fmax)
vector("v_mul_legacy_f32", lambda a, b: np.where((a == 0) | (b == 0), np.float32(0), a * b))
_three("v_fma", fused)
vector("v_mad_f32 v_mad_f16 v_mad_legacy_f16 v_fma_legacy_f16", fused)
vector("v_fmac_f32 v_fmac_f64 v_mac_f32 v_mac_f16", lambda d, a, b: fused(a, b, d))
vector("v_fmamk_f32 v_madmk_f32 v_madmk_f16", lambda a, k, b: fused(a, k, b))
vector("v_fmaak_f32 v_madak_f32 v_madak_f16", lambda a, b, k: fused(a, b, k))
vector("v_min3_f32 v_min3_f16", lambda a, b, c: np.fmin(np.fmin(a, b), c))
vector("v_max3_f32 v_max3_f16", lambda a, b, c: np.fmax(np.fmax(a, b), c))
vector("v_minimum3_f32", lambda a, b, c: np.minimum(np.minimum(a, b), c))
vector("v_maximum3_f32", lambda a, b, c: np.maximum(np.maximum(a, b), c))
vector("v_med3_f32 v_med3_f16", lambda a, b, c: np.fmax(np.fmin(a, b), np.fmin(np.fmax(a, b), c)))

_three("v_trunc", np.trunc)
_three("v_ceil", np.ceil)
_three("v_floor", np.floor)
_three("v_rndne", np.rint)
_three("v_fract", lambda a: a - np.floor(a))
_three("v_rcp", lambda a: np.asarray(1, a.dtype) / a)
_three("v_rsq", lambda a: np.asarray(1, a.dtype) / np.sqrt(a))
_three("v_sqrt", np.sqrt)
vector("v_rcp_iflag_f32", lambda a: np.float32(1) / a)
vector("v_exp_f32 v_exp_f16 v_exp_legacy_f32", np.exp2)
vector("v_log_f32 v_log_f16 v_log_legacy_f32", np.log2)
vector("v_sin_f32 v_sin_f16", lambda a: np.sin(2 * np.pi * a.astype(np.float64)).astype(a.dtype))
vector("v_cos_f32 v_cos_f16", lambda a: np.cos(2 * np.pi * a.astype(np.float64)).astype(a.dtype))
vector("v_ldexp_f32 v_ldexp_f64 v_ldexp_f16", lambda a, e: np.ldexp(a, e.astype(np.int32)))
_three("v_frexp_mant", lambda a: np.frexp(a)[0])
vector("v_frexp_exp_i32_f32 v_frexp_exp_i32_f64", lambda a: np.where(np.isfinite(a), np.frexp(a)[1], 0))
vector("v_frexp_exp_i16_f16", lambda a: np.where(np.isfinite(a), np.frexp(a)[1], 0).astype(np.int16))


def _to_integer(low: int, high: int, dtype: type[np.generic]) -> Callable[[Array], Array]:
    def convert(value: Array) -> Array:
        wide = np.nan_to_num(np.trunc(value.astype(np.float64)), nan=0.0, posinf=np.inf, neginf=-np.inf)
        return np.asarray(np.clip(wide, low, high).astype(np.int64).astype(dtype))

    return convert


_to_i32 = _to_integer(-(2**31), 2**31 - 1, np.int32)
vector("v_cvt_i32_f32 v_cvt_i32_f64", _to_i32)
vector("v_cvt_u32_f32 v_cvt_u32_f64", _to_integer(0, 2**32 - 1, np.uint32))
vector("v_cvt_u16_f16", _to_integer(0, 65535, np.uint16))
vector("v_cvt_i16_f16", _to_integer(-32768, 32767, np.int16))
vector("v_cvt_rpi_i32_f32", lambda a: _to_i32(np.floor(a + np.float32(0.5))))
vector("v_cvt_flr_i32_f32", lambda a: _to_i32(np.floor(a)))
vector("v_cvt_f32_i32 v_cvt_f32_u32 v_cvt_f32_f16 v_cvt_f32_f64", lambda a: a.astype(np.float32))
vector("v_cvt_f64_i32 v_cvt_f64_u32 v_cvt_f64_f32", lambda a: a.astype(np.float64))
vector("v_cvt_f16_f32 v_cvt_f16_u16 v_cvt_f16_i16", lambda a: a.astype(np.float16))
vector("v_cvt_f32_bf16", lambda a: a)


def _from_byte(place: int) -> Callable[[Array], Array]:
    shift = U32(8 * place)
    return lambda a: np.asarray((a >> shift & U32(255)).astype(np.float32))


for _byte in range(4):
    vector(f"v_cvt_f32_ubyte{_byte}", _from_byte(_byte))


def toward_zero_f16(value: Array) -> Array:
    """float32 to float16 rounded toward zero."""
    near = value.astype(np.float16)
    over = np.abs(near.astype(np.float32)) > np.abs(value)
    return np.where(over, np.nextafter(near, np.float16(0)), near)


def pack_halves(low: Array, high: Array) -> Array:
    """Two 16-bit arrays as dwords."""
    bits_low = np.ascontiguousarray(low).view(np.uint16).astype(U32)
    bits_high = np.ascontiguousarray(high).view(np.uint16).astype(U32)
    return np.asarray(bits_low | bits_high << U32(16))


def pairs(names: str, function: Callable[[Array, Array], Array]) -> None:
    """Opcodes with two sources and a dword of two halves; the declared result type does not matter."""

    def bind(binding: Binding) -> Step:
        sources = sources_of(binding)
        put = put_masked(binding, vector_row(binding, binding.instruction.operands[0]))
        return lambda: put(function(*[call(each) for each in sources]))

    semantics(names)(bind)


pairs("v_cvt_pkrtz_f16_f32", lambda a, b: pack_halves(toward_zero_f16(a), toward_zero_f16(b)))
pairs("v_cvt_pk_f16_f32", lambda a, b: pack_halves(a.astype(np.float16), b.astype(np.float16)))
pairs("v_cvt_pk_bf16_f32", lambda a, b: pack_halves(f32_to_bf16(a), f32_to_bf16(b)))
pairs("v_pack_b32_f16", pack_halves)


def _bind_from_8bit(binding: Binding) -> Step:
    """v_cvt_[pk_]f32_{fp8,bf8}: a byte (src0_sel) or a half (op_sel) of the source."""
    codec = minifloat(binding.specs[1].type, binding.context.arch)
    (read,) = sources_of(binding)
    packed = "_pk_" in binding.info.name
    first = vector_row(binding, binding.instruction.operands[0])
    put, put_second = put_masked(binding, first), put_masked(binding, first + 1) if packed else None
    select = binding.modifier("op_sel")
    shift = 0
    if isinstance(select, tuple):
        shift = 16 * select[0] if packed else 16 * select[0] + 8 * (select[1] if len(select) > 1 else 0)

    def run() -> None:
        value = call(read) >> U32(shift)
        low = codec.decode((value & U32(255)).astype(np.uint8)).view(U32)
        if put_second is not None:
            high = codec.decode((value >> U32(8) & U32(255)).astype(np.uint8)).view(U32)
            put_second(high)
        put(low)

    return run


semantics("v_cvt_f32_fp8 v_cvt_f32_bf8 v_cvt_pk_f32_fp8 v_cvt_pk_f32_bf8")(_bind_from_8bit)


def _bind_to_8bit(binding: Binding) -> Step:
    """v_cvt_pk_{fp8,bf8}_f32: two floats to two bytes in one half (op_sel) of the destination."""
    codec = minifloat(binding.info.name.split("_")[3], binding.context.arch)
    _, first, second = sources_of(binding)
    row = vector_row(binding, binding.instruction.operands[0])
    put, old = put_masked(binding, row), binding.lanes.vgpr[row]
    select = binding.modifier("op_sel")
    high = isinstance(select, tuple) and bool(select[-1])

    def run() -> None:
        low_byte = codec.encode(call(first)).astype(U32)
        pair = low_byte | codec.encode(call(second)).astype(U32) << U32(8)
        if high:
            put(old & U32(0xFFFF) | pair << U32(16))
        else:
            put(old & U32(0xFFFF0000) | pair)

    return run


semantics("v_cvt_pk_fp8_f32 v_cvt_pk_bf8_f32")(_bind_to_8bit)


def _div_scale(binding: Binding) -> Step:
    """No scaling: results are right wherever the quotient and its steps stay normal; VCC is 0."""
    put, put_flag = writer(binding), mask_writer(binding, 1)
    first, _, _ = sources_of(binding)
    none = np.zeros_like(binding.lanes.exec)

    def run() -> None:
        put(call(first))
        put_flag(none)

    return run


semantics("v_div_scale_f32 v_div_scale_f64")(_div_scale)
vector("v_div_fmas_f32 v_div_fmas_f64", fused)


def div_fixup(quotient: Array, denominator: Array, numerator: Array) -> Array:
    exact = numerator / denominator
    special = ~np.isfinite(numerator) | ~np.isfinite(denominator) | (denominator == 0) | (numerator == 0)
    return np.where(special, exact, quotient)


_three("v_div_fixup", div_fixup)

_CLASSES: tuple[tuple[int, Callable[[Array], Array]], ...] = (
    (0x003, np.isnan),
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
    finish = finish_float(binding)

    def run() -> None:
        result = fused(*[read() for read in sources])
        if finish is not None:
            result = finish(result)
        if name == "v_fma_mix_f32":
            put(result.view(U32))
            return
        bits = result.astype(np.float16).view(np.uint16).astype(U32)
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

    def value() -> Array:
        bits = call(read)
        if half:
            array = (bits >> shift).astype(np.uint16).view(np.float16).astype(np.float32)
        else:
            array = np.ascontiguousarray(bits).view(np.float32)
        array = np.abs(array) if absolute else array
        return -array if negate else array

    return value


semantics("v_fma_mix_f32 v_fma_mixlo_f16 v_fma_mixhi_f16")(_mix)
__all__ = ["bf16_to_f32", "bind_vector", "float_class", "fused", "pack_halves"]
