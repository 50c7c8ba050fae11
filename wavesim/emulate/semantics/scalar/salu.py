"""Scalar ALU: one value per wave, SCC, masks of 64 bits, EXEC and saveexec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.emulate.operands import Source, call, dtype_of, scalar_row, source, then
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.vector.integers import (
    bit_length,
    find_first_one,
    find_last_one,
    leading_sign_bits,
    reverse_bits,
)
from wavesim.emulate.state import EXEC, M0, SCC
from wavesim.emulate.types import Array, Step

U32, U64, I32, I64 = np.uint32, np.uint64, np.int32, np.int64
Function = Callable[..., Any]
_WIDE = frozenset(("u64", "b64", "i64"))


def scalar_source(binding: Binding, position: int) -> Source:
    """A scalar operand as [n, 1] (constants [1, 1]) of its declared type."""
    return source(binding, position)


def scalar_writer(binding: Binding, position: int = 0) -> Callable[[Array], None]:
    """A writer of [n, 1] (or [1, 1]) results of the operand's declared type."""
    kind = binding.specs[position].type
    dwords = max(binding.specs[position].dwords, 2 if kind in _WIDE else 1)
    row = scalar_row(binding, binding.instruction.operands[position])
    lanes = binding.lanes
    low = lanes.sgpr[row][:, None]
    touches_exec = row < EXEC + 2 and row + dwords > EXEC
    if dwords == 1:
        narrow: Array = lanes.sgpr[row].view(dtype_of(kind))[:, None]

        def put(result: Array) -> None:
            narrow[...] = result
            if touches_exec:
                lanes.exec_written()

        return put
    high = lanes.sgpr[row + 1][:, None]

    def put_pair(result: Array) -> None:
        bits = result.view(U64)
        low[...] = bits & U64(0xFFFFFFFF)
        high[...] = bits >> U64(32)
        if touches_exec:
            lanes.exec_written()

    return put_pair


def _bind(binding: Binding, function: Function, condition: Function | None = None) -> Step:
    """``function(sources)``; SCC becomes ``condition(result, *sources)`` where given."""
    sources = [
        scalar_source(binding, place) for place, spec in enumerate(binding.specs) if spec.role != "dst"
    ]
    put = scalar_writer(binding)
    scc = binding.lanes.sgpr[SCC][:, None]
    if condition is None:
        if len(sources) == 1:
            only = sources[0]
            return lambda: put(function(call(only)))
        return lambda: put(function(*[call(each) for each in sources]))

    def run() -> None:
        arrays = [call(each) for each in sources]
        result = function(*arrays)
        flag = condition(result, *arrays)
        put(result)
        scc[...] = flag

    return run


def _nonzero(result: Array, *_: Array) -> Array:
    return np.asarray(result != 0)


def scalar(names: str, function: Function, condition: Function | None = None) -> None:
    """Register scalar opcodes with one array function and, where SCC is written, its condition."""
    semantics(names)(lambda binding: _bind(binding, function, condition))


def _count(value: Array, limit: int = 31) -> Array:
    return np.asarray(value & value.dtype.type(limit))


scalar("s_mov_b32 s_mov_b64", lambda a: a)
scalar("s_movk_i32", lambda a: _sign16(a))


def _sign16(value: Array) -> Array:
    wide = (value.astype(I64) & 0xFFFF) ^ 0x8000
    return np.asarray((wide - 0x8000).astype(I32))


_PAIR = "s_{0}_b32 s_{0}_b64"
scalar(_PAIR.format("and"), np.bitwise_and, _nonzero)
scalar(_PAIR.format("or"), np.bitwise_or, _nonzero)
scalar(_PAIR.format("xor"), np.bitwise_xor, _nonzero)
scalar(_PAIR.format("andn2"), lambda a, b: a & ~b, _nonzero)
scalar(_PAIR.format("orn2"), lambda a, b: a | ~b, _nonzero)
scalar(_PAIR.format("nand"), lambda a, b: ~(a & b), _nonzero)
scalar(_PAIR.format("nor"), lambda a, b: ~(a | b), _nonzero)
scalar(_PAIR.format("xnor"), lambda a, b: ~(a ^ b), _nonzero)
scalar(_PAIR.format("not"), np.invert, _nonzero)

scalar("s_add_u32", np.add, lambda r, a, b: r < a)
scalar("s_sub_u32", np.subtract, lambda r, a, b: b > a)
scalar("s_add_i32", np.add, lambda r, a, b: ((a ^ r) & (b ^ r)) < 0)
scalar("s_sub_i32", np.subtract, lambda r, a, b: ((a ^ b) & (a ^ r)) < 0)
scalar("s_absdiff_i32", lambda a, b: np.abs(a - b), _nonzero)
scalar("s_min_i32 s_min_u32", np.minimum, lambda r, a, b: a < b)
scalar("s_max_i32 s_max_u32", np.maximum, lambda r, a, b: a >= b)
scalar("s_abs_i32", np.abs, _nonzero)
scalar("s_mul_i32", np.multiply)
scalar("s_mul_hi_u32", lambda a, b: (a.astype(U64) * b >> U64(32)).astype(U32))
scalar("s_mul_hi_i32", lambda a, b: (a.astype(I64) * b >> I64(32)).astype(I32))
for _shift in (1, 2, 3, 4):
    scalar(
        f"s_lshl{_shift}_add_u32",
        lambda a, b, n=_shift: (a << U32(n)) + b,
        lambda r, a, b, n=_shift: (a.astype(U64) << U64(n)) + b > 0xFFFFFFFF,
    )
scalar("s_lshl_b32", lambda a, n: a << _count(n), _nonzero)
scalar("s_lshr_b32", lambda a, n: a >> _count(n), _nonzero)
scalar("s_ashr_i32", lambda a, n: a >> _count(n).astype(I32), _nonzero)
scalar("s_lshl_b64", lambda a, n: a << _count(n, 63).astype(U64), _nonzero)
scalar("s_lshr_b64", lambda a, n: a >> _count(n, 63).astype(U64), _nonzero)
scalar("s_ashr_i64", lambda a, n: a >> _count(n, 63).astype(I64), _nonzero)
scalar("s_bfm_b32", lambda size, start: ((U32(1) << _count(size)) - U32(1)) << _count(start))
scalar(
    "s_bfm_b64",
    lambda size, start: ((U64(1) << _count(size, 63).astype(U64)) - U64(1)) << _count(start, 63).astype(U64),
)


def _bfe(value: Array, control: Array) -> Array:
    """Field at bits 5:0 (4:0) of the control, width at 22:16, of an (un)signed value."""
    bits = 8 * value.itemsize
    start = (control & U32(bits - 1)).astype(I64)
    size = np.minimum((control >> U32(16) & U32(127)).astype(I64), bits)
    wide = value.astype(I64) if bits == 32 else value.view(I64)
    if value.dtype.kind == "u":
        field = wide.view(U64) >> start.view(U64)
        keep = np.where(size >= 64, U64(2**64 - 1), (U64(1) << np.minimum(size, 63).view(U64)) - U64(1))
        return np.asarray((field & keep).astype(value.dtype))
    up = 64 - np.minimum(size, 64 - start)
    signed = (wide >> start) << np.minimum(up, 63) >> np.minimum(up, 63)
    return np.where(size == 0, 0, signed).astype(value.dtype)


scalar("s_bfe_u32 s_bfe_i32 s_bfe_u64 s_bfe_i64", _bfe, _nonzero)
scalar("s_pack_ll_b32_b16", lambda a, b: a & U32(0xFFFF) | b << U32(16))
scalar("s_pack_lh_b32_b16", lambda a, b: a & U32(0xFFFF) | b & U32(0xFFFF0000))
scalar("s_pack_hh_b32_b16", lambda a, b: a >> U32(16) | b & U32(0xFFFF0000))
scalar("s_brev_b32", reverse_bits)
scalar("s_brev_b64", lambda a: _halves_swapped(reverse_bits(a.view(U32))))
scalar("s_bitreplicate_b64_b32", lambda a: _spread_bits(a) * U64(3))
scalar("s_quadmask_b32 s_quadmask_b64", lambda a: _quads(a, False), _nonzero)
scalar("s_wqm_b32 s_wqm_b64", lambda a: _quads(a, True), _nonzero)


def _halves_swapped(words: Array) -> Array:
    """Dword pairs [n, 2] (low, high) as 64-bit values [n, 1] with the dwords changed over."""
    return np.ascontiguousarray(words[..., ::-1]).view(U64)


def _spread_bits(value: Array) -> Array:
    """Bit i of 32 at place 2 i of 64."""
    wide = value.astype(U64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        wide = (wide | wide << U64(shift)) & U64(mask)
    return np.asarray(wide)


def _quads(value: Array, whole: bool) -> Array:
    """Groups of four bits with any set: whole (all four set) or one bit per group."""
    bits = np.unpackbits(np.ascontiguousarray(value)[..., None].view(np.uint8), axis=-1, bitorder="little")
    groups = bits.reshape(*bits.shape[:-1], -1, 4).any(axis=-1)
    if whole:
        kept = np.repeat(groups, 4, axis=-1)
    else:
        kept = np.concatenate(
            [groups, np.zeros((*groups.shape[:-1], 3 * groups.shape[-1]), np.bool_)], axis=-1
        )
    return np.packbits(kept, axis=-1, bitorder="little").view(value.dtype)[..., 0]


@semantics("s_movrels_b32 s_movrels_b64 s_movreld_b32 s_movreld_b64")
def _bind_relative_move(binding: Binding) -> Step:
    """A move whose source (s) or destination (d) SGPR number has M0 added."""
    dwords = 2 if binding.info.name.endswith("64") else 1
    to, what = binding.instruction.operands
    target = scalar_row(binding, to)
    lanes = binding.lanes
    relative_source = "movrels" in binding.info.name
    read = [source(binding, 1)] if not relative_source else []
    first = scalar_row(binding, what) if relative_source else 0

    def run() -> None:
        places = lanes.sgpr[M0].astype(np.intp)
        waves = np.arange(lanes.count)
        for part in range(dwords):
            if relative_source:
                lanes.sgpr[target + part] = lanes.sgpr[first + part + places, waves]
            else:
                value = np.broadcast_to(call(read[0]), (lanes.count, 1))[:, 0].astype(U64)
                lanes.sgpr[target + part + places, waves] = (value >> U64(32 * part)).astype(U32)

    return run


scalar("s_sext_i32_i8", lambda a: a.astype(np.int8).astype(I32))
scalar("s_sext_i32_i16", lambda a: a.astype(np.int16).astype(I32))
scalar("s_bcnt1_i32_b32 s_bcnt1_i32_b64", lambda a: np.bitwise_count(a).astype(I32), _nonzero)
scalar("s_bcnt0_i32_b32 s_bcnt0_i32_b64", lambda a: np.bitwise_count(~a).astype(I32), _nonzero)


def _first_one_64(value: Array) -> Array:
    low, high = (value & U64(0xFFFFFFFF)).astype(U32), (value >> U64(32)).astype(U32)
    upper = find_first_one(high)
    upper = np.where(high == 0, upper, upper + U32(32))
    return np.where(low != 0, find_first_one(low), upper).astype(U32).view(I32)


def _leading_zeros_64(value: Array) -> Array:
    low, high = (value & U64(0xFFFFFFFF)).astype(U32), (value >> U64(32)).astype(U32)
    lower = find_last_one(low)
    lower = np.where(low == 0, lower, lower + U32(32))
    return np.where(high != 0, find_last_one(high), lower).astype(U32).view(I32)


scalar("s_ff1_i32_b32", lambda a: find_first_one(a).view(I32))
scalar("s_ff0_i32_b32", lambda a: find_first_one(~a).view(I32))
scalar("s_ff1_i32_b64", _first_one_64)
scalar("s_ff0_i32_b64", lambda a: _first_one_64(~a))
scalar("s_flbit_i32_b32", lambda a: find_last_one(a).view(I32))
scalar("s_flbit_i32_b64", _leading_zeros_64)
scalar("s_flbit_i32", lambda a: leading_sign_bits(a.view(I32)).view(I32))
scalar("s_flbit_i32_i64", lambda a: _leading_zeros_64((a.view(I64) ^ (a.view(I64) >> 63)).view(U64)))


def _bitset(value: int) -> Function:
    def run(old: Array, place: Array) -> Array:
        one = old.dtype.type(1) << (place & U32(8 * old.itemsize - 1)).astype(old.dtype)
        return np.asarray(old | one if value else old & ~one)

    return run


scalar("s_bitset0_b32 s_bitset0_b64", _bitset(0))
scalar("s_bitset1_b32 s_bitset1_b64", _bitset(1))


def _with_carry(sign: int) -> Callable[[Binding], Step]:
    def bind(binding: Binding) -> Step:
        first, second = scalar_source(binding, 1), scalar_source(binding, 2)
        put = scalar_writer(binding)
        scc = binding.lanes.sgpr[SCC][:, None]

        def run() -> None:
            total = call(first).astype(I64) + sign * (call(second).astype(I64) + scc)
            put((total & 0xFFFFFFFF).astype(U32))
            scc[...] = (total < 0) | (total > 0xFFFFFFFF)

        return run

    return bind


semantics("s_addc_u32")(_with_carry(1))
semantics("s_subb_u32")(_with_carry(-1))


@semantics("s_cselect_b32 s_cselect_b64")
def _bind_select(binding: Binding) -> Step:
    first, second = scalar_source(binding, 1), scalar_source(binding, 2)
    put = scalar_writer(binding)
    scc = binding.lanes.sgpr[SCC][:, None]
    return lambda: put(np.where(scc != 0, call(first), call(second)))


@semantics("s_cmov_b32 s_cmov_b64 s_cmovk_i32")
def _bind_move_if(binding: Binding) -> Step:
    old, new = scalar_source(binding, 0), scalar_source(binding, 1)
    if binding.info.name == "s_cmovk_i32":
        new = then(new, _sign16)
    put = scalar_writer(binding)
    scc = binding.lanes.sgpr[SCC][:, None]
    return lambda: put(np.where(scc != 0, call(new), call(old)))


_COMPARES: dict[str, Function] = {
    "eq": np.equal,
    "lg": np.not_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
}


def _compare(function: Function, short: bool) -> Callable[[Binding], Step]:
    def bind(binding: Binding) -> Step:
        first, second = scalar_source(binding, 0), scalar_source(binding, 1)
        if short:
            signed = binding.specs[0].type == "i32"
            second = then(second, _sign16 if signed else lambda a: a & U32(0xFFFF))
            second = call(second)  # a constant
        scc = binding.lanes.sgpr[SCC][:, None]

        def run() -> None:
            scc[...] = function(call(first), call(second))

        return run

    return bind


for _word, _function in _COMPARES.items():
    for _kind in ("i32", "u32"):
        semantics(f"s_cmp_{_word}_{_kind}")(_compare(_function, short=False))
        semantics(f"s_cmpk_{_word}_{_kind}")(_compare(_function, short=True))
semantics("s_cmp_eq_u64")(_compare(np.equal, short=False))
semantics("s_cmp_lg_u64")(_compare(np.not_equal, short=False))


def _bit_test(wanted: int) -> Callable[[Binding], Step]:
    def test(value: Array, place: Array) -> Array:
        bit = value >> (place & U32(8 * value.itemsize - 1)).astype(value.dtype) & value.dtype.type(1)
        return np.asarray(bit == wanted)

    return _compare(test, short=False)


semantics("s_bitcmp0_b32 s_bitcmp0_b64")(_bit_test(0))
semantics("s_bitcmp1_b32 s_bitcmp1_b64")(_bit_test(1))
scalar("s_addk_i32", lambda a, k: a + _sign16(k), lambda r, a, k: ((a ^ r) & (_sign16(k) ^ r)) < 0)
scalar("s_mulk_i32", lambda a, k: a * _sign16(k))

_SAVEEXEC: dict[str, Function] = {
    "and": lambda s, e: s & e,
    "or": lambda s, e: s | e,
    "xor": lambda s, e: s ^ e,
    "andn2": lambda s, e: s & ~e,
    "orn2": lambda s, e: s | ~e,
    "nand": lambda s, e: ~(s & e),
    "nor": lambda s, e: ~(s | e),
    "xnor": lambda s, e: ~(s ^ e),
    "andn1": lambda s, e: ~s & e,
    "orn1": lambda s, e: ~s | e,
}


def _saveexec(function: Function, keep_old: bool) -> Callable[[Binding], Step]:
    def bind(binding: Binding) -> Step:
        read = scalar_source(binding, 1)
        put = scalar_writer(binding)
        lanes = binding.lanes
        low, high = lanes.sgpr[EXEC][:, None], lanes.sgpr[EXEC + 1][:, None]
        scc = lanes.sgpr[SCC][:, None]

        def run() -> None:
            old = high.astype(U64) << U64(32) | low
            new = np.broadcast_to(function(call(read), old), old.shape)
            put(old if keep_old else new)
            low[...], high[...] = new & U64(0xFFFFFFFF), new >> U64(32)
            scc[...] = new != 0
            lanes.exec_written()

        return run

    return bind


for _word, _function in _SAVEEXEC.items():
    semantics(f"s_{_word}_saveexec_b64")(_saveexec(_function, keep_old=True))
semantics("s_andn1_wrexec_b64")(_saveexec(_SAVEEXEC["andn1"], keep_old=False))
semantics("s_andn2_wrexec_b64")(_saveexec(_SAVEEXEC["andn2"], keep_old=False))
__all__ = ["bit_length", "scalar_source", "scalar_writer"]
