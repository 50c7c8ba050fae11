"""Conversions of the vector ALU: between floats, to and from integers, packed pairs, 8-bit floats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.emulate.elements import f32_to_bf16, minifloat
from wavesim.emulate.float_mode import flushed, largest_for_overflow
from wavesim.emulate.operands import call, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.rounding import Rounding, narrow
from wavesim.emulate.semantics.vector.valu import ByMode, put_masked, rounded, sources_of, vector
from wavesim.emulate.types import Array, Step

U32 = np.uint32


def to_integer(low: int, high: int, dtype: type[np.generic]) -> Callable[[Array], Array]:
    """A conversion that cuts off, limits to a range, and makes 0 of NaN."""

    def convert(value: Array) -> Array:
        wide = np.nan_to_num(np.trunc(value.astype(np.float64)), nan=0.0, posinf=np.inf, neginf=-np.inf)
        return np.asarray(np.clip(wide, low, high).astype(np.int64).astype(dtype))

    return convert


_to_i32 = to_integer(-(2**31), 2**31 - 1, np.int32)
vector("v_cvt_i32_f32 v_cvt_i32_f64", _to_i32)
vector("v_cvt_u32_f32 v_cvt_u32_f64", to_integer(0, 2**32 - 1, np.uint32))
vector("v_cvt_u16_f16", to_integer(0, 65535, np.uint16))
vector("v_cvt_i16_f16", to_integer(-32768, 32767, np.int16))
vector("v_cvt_rpi_i32_f32", lambda a: _to_i32(np.floor(a + np.float32(0.5))))
vector("v_cvt_flr_i32_f32", lambda a: _to_i32(np.floor(a)))


def _to_float(dtype: type[np.generic]) -> ByMode:
    def convert(value: Array, rounding: Rounding) -> Array:
        return narrow(value.astype(np.float64), dtype, rounding)

    return rounded(lambda value: value.astype(dtype), convert)


vector("v_cvt_f32_i32 v_cvt_f32_u32 v_cvt_f32_f16 v_cvt_f32_f64", _to_float(np.float32))
vector("v_cvt_f64_i32 v_cvt_f64_u32 v_cvt_f64_f32", _to_float(np.float64))
vector("v_cvt_f16_f32 v_cvt_f16_u16 v_cvt_f16_i16", _to_float(np.float16))
vector("v_cvt_f32_bf16", lambda a: a)


def _from_byte(place: int) -> Callable[[Array], Array]:
    shift = U32(8 * place)
    return lambda a: np.asarray((a >> shift & U32(255)).astype(np.float32))


for _byte in range(4):
    vector(f"v_cvt_f32_ubyte{_byte}", _from_byte(_byte))


def _limited(value: Array, low: int, high: int, rounding: Rounding) -> Array:
    """Rounded to an integer by the mode, within a range; 0 for NaN."""
    number = np.nan_to_num(value.astype(np.float64), nan=0.0)
    steps = {Rounding.NEAREST: np.rint, Rounding.UP: np.ceil, Rounding.DOWN: np.floor}
    return np.clip(steps.get(rounding, np.trunc)(number), low, high)


def to_byte(value: Array, rounding: Rounding) -> Array:
    """A float as an unsigned byte, in a dword."""
    return _limited(value, 0, 255, rounding).astype(U32)


def normalised(signed: bool) -> ByMode:
    """A float in [-1, 1] or [0, 1] as a 16-bit fraction, rounded by the mode."""
    low, scale, dtype = (-1, 32767, np.int16) if signed else (0, 65535, np.uint16)

    def convert(value: Array, rounding: Rounding) -> Array:
        return _limited(value.astype(np.float64) * scale, low * scale, scale, rounding).astype(dtype)

    return rounded(lambda value: convert(value, Rounding.NEAREST), convert)


def toward_zero_f16(value: Array) -> Array:
    """float32 to float16 rounded toward zero."""
    return narrow(value.astype(np.float64), np.float16, Rounding.ZERO)


def pack_halves(low: Array, high: Array) -> Array:
    """Two 16-bit arrays as dwords."""
    bits_low = np.ascontiguousarray(low).view(np.uint16).astype(U32)
    bits_high = np.ascontiguousarray(high).view(np.uint16).astype(U32)
    return np.asarray(bits_low | bits_high << U32(16))


Convert = Callable[[Array], Array]


def pairs(names: str, convert: Convert | ByMode, *, f16: bool = False) -> None:
    """Opcodes that convert two sources each by itself to 16 bits and pack them; ``f16``: to f16."""

    def bind(binding: Binding) -> Step:
        sources = sources_of(binding)
        put = put_masked(binding, vector_row(binding, binding.instruction.operands[0]))
        source_single = binding.specs[1].type == "f32"
        one = convert.under(binding.mode, source_single) if isinstance(convert, ByMode) else convert
        mode = binding.mode
        is_float = binding.specs[1].type in ("f32", "f16")
        flush_in = is_float and mode.flushes_sources(source_single)

        def half(read: Array) -> Array:
            given = flushed(read) if flush_in else read
            result = np.asarray(one(given))
            if f16:
                result = largest_for_overflow(result, [given]) if mode.fp16_overflow else result
                result = flushed(result) if mode.flushes_results(False) else result
            return result

        return lambda: put(pack_halves(*[half(call(each)) for each in sources]))

    semantics(names)(bind)


pairs("v_cvt_pkrtz_f16_f32", toward_zero_f16, f16=True)
pairs("v_cvt_pk_f16_f32", lambda a: a.astype(np.float16), f16=True)
pairs("v_cvt_pk_bf16_f32", f32_to_bf16)
pairs("v_pack_b32_f16", lambda a: a)
pairs("v_cvt_pknorm_i16_f32 v_cvt_pknorm_i16_f16", normalised(True))
pairs("v_cvt_pknorm_u16_f32 v_cvt_pknorm_u16_f16", normalised(False))
pairs("v_cvt_pk_u16_u32", lambda a: np.minimum(a, U32(65535)).astype(np.uint16))
pairs("v_cvt_pk_i16_i32", lambda a: np.clip(a.view(np.int32), -32768, 32767).astype(np.int16))
vector("v_cvt_norm_i16_f16", normalised(True))
vector("v_cvt_norm_u16_f16", normalised(False))


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
    """v_cvt_pk_{fp8,bf8}_f32: two floats to two bytes in one half (op_sel) of the destination; clamp and
    factors do nothing (CDNA3 ISA, table 31), MODE.FP16_OVFL says what overflow gives."""
    codec = minifloat(binding.info.name.split("_")[3], binding.context.arch)
    _, first, second = sources_of(binding)
    row = vector_row(binding, binding.instruction.operands[0])
    put, old = put_masked(binding, row), binding.lanes.vgpr[row]
    select = binding.modifier("op_sel")
    high = isinstance(select, tuple) and bool(select[-1])
    binding.read.update(("clamp", "mul", "div"))
    saturate = binding.mode.fp16_overflow

    def run() -> None:
        low_byte = codec.encode(call(first), saturate=saturate).astype(U32)
        pair = low_byte | codec.encode(call(second), saturate=saturate).astype(U32) << U32(8)
        if high:
            put(old & U32(0xFFFF) | pair << U32(16))
        else:
            put(old & U32(0xFFFF0000) | pair)

    return run


semantics("v_cvt_pk_fp8_f32 v_cvt_pk_bf8_f32")(_bind_to_8bit)
