"""Packed vector ALU (VOP3P): pairs of 16-bit values in a dword, pairs of f32, and dot products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.emulate.lane_select import dpp_of
from wavesim.emulate.operands import Source, bf16_to_f32, call, dword, vector_row
from wavesim.emulate.registry import Array, Binding, Step, semantics
from wavesim.emulate.valu import put_masked
from wavesim.emulate.valu_float import fused, pack_halves
from wavesim.program import Modified

U32 = np.uint32


def _bits(binding: Binding, name: str, default: int) -> tuple[int, ...]:
    value = binding.modifier(name)
    if isinstance(value, tuple):
        return tuple(value) + (default,) * (4 - len(value))
    return (default,) * 4


def _plain(binding: Binding, position: int, part: int = 0) -> Source:
    operand = binding.instruction.operands[position]
    kind = "f16x2" if binding.specs[position].type == "f16x2" else "b32"
    return dword(binding, operand.operand if isinstance(operand, Modified) else operand, part, kind)


def _half(array: Array, high: int, dtype: type[np.generic]) -> Array:
    picked: Array = (array >> U32(16 if high else 0)).astype(np.uint16).view(dtype)
    return picked


def _bind_pairs(binding: Binding, function: Callable[..., Any], dtype: type[np.generic]) -> Step:
    places = [place for place, spec in enumerate(binding.specs) if spec.role != "dst"]
    reads = [_plain(binding, place) for place in places]
    low, high = _bits(binding, "op_sel", 0), _bits(binding, "op_sel_hi", 1)
    negate = (_bits(binding, "neg_lo", 0), _bits(binding, "neg_hi", 0))
    clamp = bool(binding.modifier("clamp"))
    put = put_masked(binding, vector_row(binding, binding.instruction.operands[0]))

    def one(arrays: list[Array], picks: tuple[int, ...], signs: tuple[int, ...]) -> Array:
        halves = [_half(array, picks[slot], dtype) for slot, array in enumerate(arrays)]
        halves = [-half if signs[slot] else half for slot, half in enumerate(halves)]
        if clamp and dtype is not np.float16:
            limits: Any = np.iinfo(dtype)
            exact = function(*[half.astype(np.int64) for half in halves])
            return np.asarray(np.clip(exact, limits.min, limits.max).astype(dtype))
        result = np.asarray(function(*halves))
        if clamp:
            result = np.clip(np.nan_to_num(result, nan=0.0), 0, 1)
        return result.astype(dtype, copy=False)

    def run() -> None:
        arrays = [call(read) for read in reads]
        put(pack_halves(one(arrays, low, negate[0]), one(arrays, high, negate[1])))

    return run


def _pairs(names: str, function: Callable[..., Any], dtype: type[np.generic]) -> None:
    semantics(names)(lambda binding: _bind_pairs(binding, function, dtype))


def f16_pairs(names: str, function: Callable[..., Any]) -> None:
    """Register packed f16 opcodes with one function on halves."""
    _pairs(names, function, np.float16)


_pairs("v_pk_add_f16", np.add, np.float16)
_pairs("v_pk_mul_f16", np.multiply, np.float16)
_pairs("v_pk_min_f16", np.fmin, np.float16)
_pairs("v_pk_max_f16", np.fmax, np.float16)
_pairs("v_pk_fma_f16", fused, np.float16)
_pairs("v_pk_fmac_f16", lambda d, a, b: fused(a, b, d), np.float16)
for _sign, _dtype in (("i16", np.int16), ("u16", np.uint16)):
    _pairs(f"v_pk_add_{_sign}", np.add, _dtype)
    _pairs(f"v_pk_sub_{_sign}", np.subtract, _dtype)
    _pairs(f"v_pk_min_{_sign}", np.minimum, _dtype)
    _pairs(f"v_pk_max_{_sign}", np.maximum, _dtype)
    _pairs(f"v_pk_mad_{_sign}", lambda a, b, c: a * b + c, _dtype)
_pairs("v_pk_mul_lo_u16", np.multiply, np.uint16)
_pairs("v_pk_lshlrev_b16", lambda count, value: value << (count & 15), np.uint16)
_pairs("v_pk_lshrrev_b16", lambda count, value: value >> (count & 15), np.uint16)
_pairs("v_pk_ashrrev_i16", lambda count, value: value >> (count & 15), np.int16)


def _bind_f32_pairs(binding: Binding, function: Callable[..., Any], dtype: type[np.generic]) -> Step:
    """Operands are register pairs; op_sel and op_sel_hi pick the register of each result half."""
    places = [place for place, spec in enumerate(binding.specs) if spec.role != "dst"]
    low, high = _bits(binding, "op_sel", 0), _bits(binding, "op_sel_hi", 1)
    negate_low, negate_high = _bits(binding, "neg_lo", 0), _bits(binding, "neg_hi", 0)
    row = vector_row(binding, binding.instruction.operands[0])
    put_low, put_high = put_masked(binding, row), put_masked(binding, row + 1)
    first = [_plain(binding, place, low[slot]) for slot, place in enumerate(places)]
    second = [_plain(binding, place, high[slot]) for slot, place in enumerate(places)]
    clamp = bool(binding.modifier("clamp"))

    def half(reads: list[Source], signs: tuple[int, ...]) -> Array:
        arrays = [call(read).view(dtype) for read in reads]
        result = np.asarray(function(*[-a if signs[slot] else a for slot, a in enumerate(arrays)]))
        if clamp:
            result = np.clip(np.nan_to_num(result, nan=0.0), 0, 1)
        return result.view(U32)

    def run() -> None:
        below, above = half(first, negate_low), half(second, negate_high)
        put_low(below)
        put_high(above)

    return run


def _f32_pairs(names: str, function: Callable[..., Any], dtype: type[np.generic] = np.float32) -> None:
    semantics(names)(lambda binding: _bind_f32_pairs(binding, function, dtype))


_f32_pairs("v_pk_add_f32", np.add)
_f32_pairs("v_pk_mul_f32", np.multiply)
_f32_pairs("v_pk_fma_f32", fused)


@semantics("v_pk_mov_b32")
def _bind_pair_move(binding: Binding) -> Step:
    """Low result from the first source, high result from the second; op_sel picks the register of each."""
    select = _bits(binding, "op_sel", 0)
    row = vector_row(binding, binding.instruction.operands[0])
    put_low, put_high = put_masked(binding, row), put_masked(binding, row + 1)
    first, second = _plain(binding, 1, select[0]), _plain(binding, 2, select[1])

    def run() -> None:
        below, above = call(first).copy(), call(second).copy()
        put_low(below)
        put_high(above)

    return run


_FIELDS: dict[str, tuple[int, bool]] = {
    "i16": (16, True),
    "u16": (16, False),
    "i8": (8, True),
    "u8": (8, False),
    "i4": (4, True),
    "u4": (4, False),
}


def _elements(array: Array, kind: str) -> list[Array]:
    if kind == "f16":
        return [_half(array, high, np.float16).astype(np.float64) for high in (0, 1)]
    if kind == "bf16":
        return [bf16_to_f32(array >> U32(shift) & U32(0xFFFF)).astype(np.float64) for shift in (0, 16)]
    width, signed = _FIELDS[kind]
    parts = []
    for shift in range(0, 32, width):
        part = (array >> U32(shift) & U32((1 << width) - 1)).astype(np.int64)
        parts.append(np.where(part >> (width - 1) == 1, part - (1 << width), part) if signed else part)
    return parts


@semantics(
    "v_dot2_f32_f16 v_dot2_f32_bf16 v_dot2_i32_i16 v_dot2_u32_u16 v_dot4_i32_i8 v_dot4_u32_u8 "
    "v_dot8_i32_i4 v_dot8_u32_u4 v_dot2c_f32_f16 v_dot2c_f32_bf16 v_dot2c_i32_i16 "
    "v_dot4c_i32_i8 v_dot8c_i32_i4"
)
def _bind_dot(binding: Binding) -> Step:
    words = binding.info.name.split("_")
    result, kind = words[2], words[3]
    accumulates = words[1].endswith("c")
    first, second = _plain(binding, 1), _plain(binding, 2)
    dpp = dpp_of(binding)
    if dpp is not None:
        first = dpp.source(binding)(first)
    third = _plain(binding, 0 if accumulates else 3)
    dtype = {"f32": np.float32, "i32": np.int32, "u32": np.uint32}[result]
    clamp = bool(binding.modifier("clamp"))
    lanes = binding.lanes
    target = lanes.vgpr[vector_row(binding, binding.instruction.operands[0])]

    def run() -> None:
        total: Any = call(third).view(dtype)
        total = total.astype(np.float64 if dtype is np.float32 else np.int64)
        for a, b in zip(_elements(call(first), kind), _elements(call(second), kind), strict=True):
            total = total + a * b
        if clamp and dtype is not np.float32:
            limits: Any = np.iinfo(dtype)
            total = np.clip(total, limits.min, limits.max)
        where = lanes.exec if dpp is None else lanes.exec & dpp.written(binding)
        np.copyto(target, total.astype(dtype).view(U32), where=where)

    return run
