"""Vector instructions with lane masks: compares, v_cndmask, carries, wide multiply-add, lane access."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np

from wavesim.emulate.float_mode import flushed
from wavesim.emulate.operands import call, dword, scalar_row, source, then, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.vector.conversions import to_byte
from wavesim.emulate.semantics.vector.floats import float_class
from wavesim.emulate.semantics.vector.lane_select import dpp_of, sdwa_merge
from wavesim.emulate.semantics.vector.valu import mask_source, mask_writer, put_masked, sources_of, writer
from wavesim.emulate.state import EXEC
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import LANES
from wavesim.isa.opcodes import opcode_table

U32, U64, I64 = np.uint32, np.uint64, np.int64
Compare = Callable[[Array, Array], Array]


def _ordered(a: Array, b: Array) -> Array:
    return np.asarray(~(np.isnan(a) | np.isnan(b)))


def _never(a: Array, b: Array) -> Array:
    return np.zeros(np.broadcast(a, b).shape, np.bool_)


_COMPARES: dict[str, Compare] = {
    "f": _never,
    "lt": operator.lt,
    "eq": operator.eq,
    "le": operator.le,
    "gt": operator.gt,
    "ne": operator.ne,
    "lg": lambda a, b: np.asarray((a < b) | (a > b)),
    "ge": operator.ge,
    "o": _ordered,
    "u": lambda a, b: ~_ordered(a, b),
    "nge": lambda a, b: ~(a >= b),
    "nlg": lambda a, b: ~((a < b) | (a > b)),
    "ngt": lambda a, b: ~(a > b),
    "nle": lambda a, b: ~(a <= b),
    "neq": operator.ne,
    "nlt": lambda a, b: ~(a < b),
    "t": lambda a, b: ~_never(a, b),
    "tru": lambda a, b: ~_never(a, b),
    "class": float_class,
}


def _bind_compare(binding: Binding) -> Step:
    _, word, *_ = binding.info.name.removeprefix("v_").split("_")
    compare = _COMPARES[word]
    first, second = sources_of(binding)
    kind = binding.specs[1].type
    if kind in ("f16", "f32", "f64") and word != "class" and binding.mode.flushes_sources(kind == "f32"):
        first, second = then(first, flushed), then(second, flushed)
    binding.read.add("clamp")  # asks for an exception on NaN, which changes no result (CDNA3 ISA, 6.5)
    lanes = binding.lanes
    row = scalar_row(binding, binding.instruction.operands[0])
    also_exec = binding.info.name.startswith("v_cmpx")

    def run() -> None:
        mask = compare(call(first), call(second)) & lanes.exec
        lanes.write_mask(row, mask)
        if also_exec:
            lanes.write_mask(EXEC, mask)

    return run


def _register_compares() -> None:
    for name, info in opcode_table().items():
        if info.format == "VOPC" and name.split("_")[2] in _COMPARES:
            semantics(name)(_bind_compare)


_register_compares()


@semantics("v_cndmask_b32")
def _bind_cndmask(binding: Binding) -> Step:
    first, second, *_ = sources_of(binding, dpp_of(binding))
    dpp = dpp_of(binding)
    pick = mask_source(binding, 3)
    row = vector_row(binding, binding.instruction.operands[0])
    target = binding.lanes.vgpr[row]
    merge = sdwa_merge(binding, target)
    lanes = binding.lanes

    def run() -> None:
        result = np.where(pick(), call(second), call(first))
        if merge is not None:
            result = merge(result)
        where = lanes.exec if dpp is None else lanes.exec & dpp.written(binding)
        np.copyto(target, result, where=where)

    return run


_CARRY: dict[str, tuple[int, bool, bool]] = {
    "v_add_co_u32": (1, False, False),
    "v_addc_co_u32": (1, True, False),
    "v_sub_co_u32": (-1, False, False),
    "v_subb_co_u32": (-1, True, False),
    "v_subrev_co_u32": (-1, False, True),
    "v_subbrev_co_u32": (-1, True, True),
}
"""Sign of the second term, whether a carry comes in, whether the sources are swapped."""


@semantics(*_CARRY)
def _bind_carry(binding: Binding) -> Step:
    sign, carry_in, swapped = _CARRY[binding.info.name]
    dpp = dpp_of(binding)
    first, second, *_ = sources_of(binding, dpp)
    if swapped:
        first, second = second, first
    row = vector_row(binding, binding.instruction.operands[0])
    target = binding.lanes.vgpr[row]
    merge = sdwa_merge(binding, target)
    put_carry, lanes = mask_writer(binding, 1), binding.lanes
    carry = mask_source(binding, 4) if carry_in else None
    clamp = bool(binding.modifier("clamp"))

    def run() -> None:
        total = call(first).astype(I64) + sign * call(second).astype(I64)
        if carry is not None:
            total = total + sign * carry()
        result = np.clip(total, 0, 0xFFFFFFFF) if clamp else total & I64(0xFFFFFFFF)
        result = result.astype(U32)
        where = lanes.exec if dpp is None else lanes.exec & dpp.written(binding)
        np.copyto(target, merge(result) if merge is not None else result, where=where)
        put_carry((total < 0) | (total > 0xFFFFFFFF))

    return run


@semantics("v_mad_u64_u32 v_mad_i64_i32")
def _bind_wide_mad(binding: Binding) -> Step:
    a, b, c = source(binding, 2), source(binding, 3), source(binding, 4)
    put, put_carry = writer(binding), mask_writer(binding, 1)
    wide = np.int64 if binding.info.name.endswith("i32") else np.uint64

    def run() -> None:
        product = call(a).astype(wide) * call(b).astype(wide)
        addend = call(c).view(wide)
        total = product + addend
        put(total)
        if wide is np.int64:  # bit 64 of the exact sum: its sign
            overflow = ((product ^ total) & (addend ^ total)) < 0
            put_carry((total < 0) != overflow)
        else:
            put_carry(total < addend)

    return run


@semantics("v_readfirstlane_b32")
def _bind_readfirstlane(binding: Binding) -> Step:
    lanes = binding.lanes
    read = source(binding, 1)
    target = lanes.sgpr[scalar_row(binding, binding.instruction.operands[0])]
    places = np.arange(lanes.count)

    def run() -> None:
        values = np.broadcast_to(call(read), (lanes.count, LANES))
        target[...] = values[:, 0] if lanes.full else values[places, lanes.exec.argmax(axis=1)]

    return run


@semantics("v_readlane_b32")
def _bind_readlane(binding: Binding) -> Step:
    lanes = binding.lanes
    read, lane = source(binding, 1), source(binding, 2)
    target = lanes.sgpr[scalar_row(binding, binding.instruction.operands[0])]
    places = np.arange(lanes.count)

    def run() -> None:
        values = np.broadcast_to(call(read), (lanes.count, LANES))
        picks = np.broadcast_to((call(lane) & U32(63)).astype(np.intp), (lanes.count, 1))
        target[...] = values[places, picks[:, 0]]

    return run


@semantics("v_writelane_b32")
def _bind_writelane(binding: Binding) -> Step:
    lanes = binding.lanes
    value, lane = source(binding, 1), source(binding, 2)
    target = lanes.vgpr[vector_row(binding, binding.instruction.operands[0])]
    places = np.arange(lanes.count)

    def run() -> None:
        picks = np.broadcast_to((call(lane) & U32(63)).astype(np.intp), (lanes.count, 1))
        target[places, picks[:, 0]] = np.broadcast_to(call(value), (lanes.count, 1))[:, 0]

    return run


@semantics("v_mbcnt_lo_u32_b32 v_mbcnt_hi_u32_b32")
def _bind_mbcnt(binding: Binding) -> Step:
    mask, add = sources_of(binding)
    put = writer(binding)
    lane = np.arange(LANES, dtype=U64)
    if "_lo_" in binding.info.name:
        below = (U64(1) << np.minimum(lane, U64(32))) - U64(1)
    else:
        below = (U64(1) << np.maximum(lane, U64(32)) - U64(32)) - U64(1)
    below32 = (below & U64(0xFFFFFFFF)).astype(U32)
    return lambda: put(np.bitwise_count(call(mask) & below32).astype(U32) + call(add))


@semantics("v_swap_b32")
def _bind_swap(binding: Binding) -> Step:
    first, second = (vector_row(binding, operand) for operand in binding.instruction.operands)
    put_first, put_second = put_masked(binding, first), put_masked(binding, second)
    vgpr = binding.lanes.vgpr

    def run() -> None:
        kept = vgpr[first].copy()
        put_first(vgpr[second])
        put_second(kept)

    return run


@semantics("v_permlane16_swap_b32 v_permlane32_swap_b32")
def _bind_permlane_swap(binding: Binding) -> Step:
    """Odd rows (upper half) of the first change places with even rows (lower half) of the second."""
    size = 16 if "16" in binding.info.name else 32
    first, second = (vector_row(binding, operand) for operand in binding.instruction.operands)
    lanes = binding.lanes
    a, b = lanes.vgpr[first], lanes.vgpr[second]
    lane = np.arange(LANES)
    odd = lane[(lane // size) % 2 == 1]
    even = odd - size

    def run() -> None:
        upper, lower = a[:, odd].copy(), b[:, even].copy()
        both = lanes.exec[:, odd] & lanes.exec[:, even]
        a[:, odd] = np.where(both, lower, upper)
        b[:, even] = np.where(both, upper, lower)

    return run


@semantics("v_cvt_pk_u8_f32")
def _bind_pack_byte(binding: Binding) -> Step:
    value, place = source(binding, 1), source(binding, 2)
    old = dword(binding, binding.instruction.operands[3])
    put = writer(binding)
    rounding = binding.mode.rounding(True)

    def run() -> None:
        octet = to_byte(call(value), rounding)
        shift = (call(place) & U32(3)) * U32(8)
        put(call(old) & ~(U32(255) << shift) | octet << shift)

    return run
