"""Packed vector ALU (VOP3P): pairs of 16-bit values in a dword, pairs of f32, and dot products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.emulate.float_mode import clamped, flushed
from wavesim.emulate.operands import Source, bf16_to_f32, call, dword, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.rounding import fused
from wavesim.emulate.semantics.vector.conversions import pack_halves
from wavesim.emulate.semantics.vector.floats import ADD, FUSED, MULTIPLY
from wavesim.emulate.semantics.vector.lane_select import dpp_of
from wavesim.emulate.semantics.vector.minmax import MAXIMUM, MINIMUM
from wavesim.emulate.semantics.vector.valu import Function, following, put_masked, rounded
from wavesim.emulate.types import Array, Step
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


def _bind_pairs(binding: Binding, function: Function, dtype: type[np.generic]) -> Step:
    places = [place for place, spec in enumerate(binding.specs) if spec.role != "dst"]
    reads = [_plain(binding, place) for place in places]
    low, high = _bits(binding, "op_sel", 0), _bits(binding, "op_sel_hi", 1)
    negate = (_bits(binding, "neg_lo", 0), _bits(binding, "neg_hi", 0))
    clamp, mode = bool(binding.modifier("clamp")), binding.mode
    kind = "f16" if dtype is np.float16 else ""
    compute = following(mode, function, (kind,) * len(places), kind, single=False)
    put = put_masked(binding, vector_row(binding, binding.instruction.operands[0]))

    def one(arrays: list[Array], picks: tuple[int, ...], signs: tuple[int, ...]) -> Array:
        halves = [_half(array, picks[slot], dtype) for slot, array in enumerate(arrays)]
        halves = [-half if signs[slot] else half for slot, half in enumerate(halves)]
        if clamp and dtype is not np.float16:
            limits: Any = np.iinfo(dtype)
            exact = compute(*[half.astype(np.int64) for half in halves])
            return np.asarray(np.clip(exact, limits.min, limits.max).astype(dtype))
        result = np.asarray(compute(*halves))
        return clamped(result, mode) if clamp else result.astype(dtype, copy=False)

    def run() -> None:
        arrays = [call(read) for read in reads]
        put(pack_halves(one(arrays, low, negate[0]), one(arrays, high, negate[1])))

    return run


def _pairs(names: str, function: Function, dtype: type[np.generic]) -> None:
    semantics(names)(lambda binding: _bind_pairs(binding, function, dtype))


def f16_pairs(names: str, function: Function) -> None:
    """Register packed f16 opcodes with one function on halves."""
    _pairs(names, function, np.float16)


f16_pairs("v_pk_add_f16", ADD)
f16_pairs("v_pk_mul_f16", MULTIPLY)
f16_pairs("v_pk_min_f16", MINIMUM)
f16_pairs("v_pk_max_f16", MAXIMUM)
f16_pairs("v_pk_fma_f16", FUSED)
f16_pairs(
    "v_pk_fmac_f16",
    rounded(lambda d, a, b: fused(a, b, d), lambda d, a, b, mode: fused(a, b, d, mode)),
)
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


def _bind_f32_pairs(binding: Binding, function: Function) -> Step:
    """Operands are register pairs; op_sel and op_sel_hi pick the register of each result half."""
    places = [place for place, spec in enumerate(binding.specs) if spec.role != "dst"]
    low, high = _bits(binding, "op_sel", 0), _bits(binding, "op_sel_hi", 1)
    negate_low, negate_high = _bits(binding, "neg_lo", 0), _bits(binding, "neg_hi", 0)
    row = vector_row(binding, binding.instruction.operands[0])
    put_low, put_high = put_masked(binding, row), put_masked(binding, row + 1)
    first = [_plain(binding, place, low[slot]) for slot, place in enumerate(places)]
    second = [_plain(binding, place, high[slot]) for slot, place in enumerate(places)]
    clamp, mode = bool(binding.modifier("clamp")), binding.mode
    compute = following(mode, function, ("f32",) * len(places), "f32", single=True)

    def half(reads: list[Source], signs: tuple[int, ...]) -> Array:
        arrays = [call(read).view(np.float32) for read in reads]
        result = np.asarray(compute(*[-a if signs[slot] else a for slot, a in enumerate(arrays)]))
        return (clamped(result, mode) if clamp else result).view(U32)

    def run() -> None:
        below, above = half(first, negate_low), half(second, negate_high)
        put_low(below)
        put_high(above)

    return run


def _f32_pairs(names: str, function: Function) -> None:
    semantics(names)(lambda binding: _bind_f32_pairs(binding, function))


_f32_pairs("v_pk_add_f32", ADD)
_f32_pairs("v_pk_mul_f32", MULTIPLY)
_f32_pairs("v_pk_fma_f32", FUSED)


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


def _integers(array: Array, kind: str) -> list[Array]:
    width, signed = _FIELDS[kind]
    parts = []
    for shift in range(0, 32, width):
        part = (array >> U32(shift) & U32((1 << width) - 1)).astype(np.int64)
        parts.append(np.where(part >> (width - 1) == 1, part - (1 << width), part) if signed else part)
    return parts


def _floats(array: Array, kind: str, picks: tuple[int, int], signs: tuple[int, int]) -> list[Array]:
    """Two halves as float32, denormals flushed, signs changed."""
    if kind == "f16":
        halves = [flushed(_half(array, pick, np.float16)).astype(np.float32) for pick in picks]
    else:
        halves = [flushed(bf16_to_f32(array >> U32(16 * pick) & U32(0xFFFF))) for pick in picks]
    return [-half if sign else half for half, sign in zip(halves, signs, strict=True)]


def _bind_integer_dot(binding: Binding) -> Step:
    _, word, result, kind = binding.info.name.split("_")
    first, second = _dot_sources(binding)
    third = _plain(binding, 0 if word.endswith("c") else 3)
    dtype: Any = {"i32": np.int32, "u32": np.uint32}[result]
    clamp = bool(binding.modifier("clamp"))
    put = _dot_writer(binding)

    def run() -> None:
        total: Any = call(third).view(dtype).astype(np.int64)
        for a, b in zip(_integers(call(first), kind), _integers(call(second), kind), strict=True):
            total = total + a * b
        if clamp:
            limits = np.iinfo(dtype)
            total = np.clip(total, limits.min, limits.max)
        put(total.astype(dtype).view(U32))

    return run


def _dot_sources(binding: Binding) -> tuple[Source, Source]:
    first, second = _plain(binding, 1), _plain(binding, 2)
    dpp = dpp_of(binding)
    return (first if dpp is None else dpp.source(binding)(first)), second


def _dot_writer(binding: Binding) -> Callable[[Array], None]:
    lanes, dpp = binding.lanes, dpp_of(binding)
    target = lanes.vgpr[vector_row(binding, binding.instruction.operands[0])]

    def put(bits: Array) -> None:
        np.copyto(target, bits, where=lanes.exec if dpp is None else lanes.exec & dpp.written(binding))

    return put


semantics(
    "v_dot2_i32_i16 v_dot2_u32_u16 v_dot4_i32_i8 v_dot4_u32_u8 v_dot8_i32_i4 v_dot8_u32_u4 "
    "v_dot2c_i32_i16 v_dot4c_i32_i8 v_dot8c_i32_i4"
)(_bind_integer_dot)


@semantics("v_dot2_f32_f16 v_dot2_f32_bf16 v_dot2c_f32_f16 v_dot2c_f32_bf16")
def _bind_float_dot(binding: Binding) -> Step:
    """Product by product in f32, to nearest; denormals of sources and result are flushed, whatever MODE
    says (CDNA3 ISA, 6.4). The sum starts with the third source; in v_dot2_f32_bf16 it ends with it."""
    name = binding.info.name
    kind, accumulates = name.split("_")[3], "dot2c" in name
    first, second = _dot_sources(binding)
    third = _plain(binding, 0 if accumulates else 3)
    low, high = _bits(binding, "op_sel", 0), _bits(binding, "op_sel_hi", 1)
    negate_low, negate_high = _bits(binding, "neg_lo", 0), _bits(binding, "neg_hi", 0)
    picks = [(low[slot], high[slot]) for slot in (0, 1)]
    signs = [(negate_low[slot], negate_high[slot]) for slot in (0, 1)]
    clamp, mode = bool(binding.modifier("clamp")), binding.mode
    put = _dot_writer(binding)

    def run() -> None:
        start = flushed(call(third).view(np.float32))
        a = _floats(call(first), kind, picks[0], signs[0])
        b = _floats(call(second), kind, picks[1], signs[1])
        products = [x * y for x, y in zip(a, b, strict=True)]
        terms = [*products, start] if name == "v_dot2_f32_bf16" else [start, *products]
        total = terms[0] + terms[1] + terms[2]
        total = flushed(np.asarray(total))
        put((clamped(total, mode) if clamp else total).view(U32))

    return run
