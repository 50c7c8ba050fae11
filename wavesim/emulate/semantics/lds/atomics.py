"""LDS atomics, with and without return; the rule for several lanes at one address is lane order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wavesim.emulate.elements import f32_to_bf16
from wavesim.emulate.operands import bf16_to_f32, vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import Accessor, put_registers
from wavesim.emulate.transfer import scatter
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import LANES


def _signed(kind: str) -> Any:
    return {"i32": np.int32, "u32": np.uint32, "b32": np.uint32, "f32": np.float32}.get(kind) or {
        "i64": np.int64,
        "u64": np.uint64,
        "b64": np.uint64,
        "f64": np.float64,
    }[kind]


ATOMICS: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "rsub": lambda old, data: data - old,
    "min": np.minimum,
    "max": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "inc": lambda old, data: np.where(old >= data, old.dtype.type(0), old + old.dtype.type(1)),
    "dec": lambda old, data: np.where((old == 0) | (old > data), data, old - old.dtype.type(1)),
    "wrxchg": lambda old, data: data,
    "swap": lambda old, data: data,
}
"""New memory value from the old one and the data."""


def packed_add(kind: str) -> Callable[[Array, Array], Array]:
    """Addition of two halves (``f16`` or ``bf16``) in a dword, for the packed atomics."""

    def add(old: Array, data: Array) -> Array:
        result = np.zeros_like(old)
        for shift in (np.uint32(0), np.uint32(16)):
            halves = [(each >> shift & np.uint32(0xFFFF)).astype(np.uint16) for each in (old, data)]
            if kind == "f16":
                total = np.asarray(halves[0].view(np.float16) + halves[1].view(np.float16)).view(np.uint16)
            else:
                total = f32_to_bf16(bf16_to_f32(halves[0]) + bf16_to_f32(halves[1]))
            result |= total.astype(np.uint32) << shift
        return result

    return add


def apply_atomic(
    cells: Array, places: Array, change: Callable[[Array, Array], Array], data: tuple[Array, ...]
) -> Array:
    """Run an atomic on ``cells`` (typed memory) at ``places`` in lane order; the old values.

    ``places`` and the arrays of ``data`` are flat and of one length.
    """
    if len(np.unique(places)) == len(places):
        old = cells[places]
        cells[places] = change(old, *data)
        return np.asarray(old)
    old = np.empty(len(places), cells.dtype)
    for number, place in enumerate(places.tolist()):
        old[number] = cells[place]
        one = [array[number : number + 1] for array in data]
        cells[place] = change(cells[place : place + 1], *one)[0]
    return old


def _atomic_names() -> str:
    shapes = (
        ("add sub rsub inc dec min max", ("u32", "u64")),
        ("min max", ("i32", "i64")),
        ("and or xor cmpst mskor", ("b32", "b64")),
        ("add min max cmpst", ("f32", "f64")),
    )
    names = [
        f"ds_{word}{returns}_{kind}"
        for words, kinds in shapes
        for word in words.split()
        for kind in kinds
        for returns in ("", "_rtn")
    ]
    packed = [f"ds_pk_add{returns}_{kind}" for returns in ("", "_rtn") for kind in ("f16", "bf16")]
    return " ".join([*names, *packed, "ds_wrxchg_rtn_b32", "ds_wrxchg_rtn_b64", "ds_wrap_rtn_b32"])


@semantics(_atomic_names())
def _bind_atomic(binding: Binding) -> Step:
    words_of_name = binding.info.name.split("_")
    returns = "rtn" in words_of_name
    operation, kind = words_of_name[1], words_of_name[-1]
    width = 8 if kind.endswith("64") else 4
    packed = packed_add(kind) if operation == "pk" else None
    operands = list(binding.instruction.operands)
    target = vector_row(binding, operands.pop(0)) if returns else None
    lanes, context = binding.lanes, binding.context
    address = lanes.vgpr[vector_row(binding, operands[0])]
    accessor = Accessor(binding, address, binding.integer("offset"), width, write=True)
    dtype = np.uint32 if packed is not None else _signed(kind)
    cells: Array = context.lds.words.view(dtype)
    rows = [vector_row(binding, operand) for operand in operands[1:]]
    compare = operation == "cmpst"
    put = put_registers(binding, target, width // 4) if target is not None else None

    def change(old: Array, *data: Array) -> Array:
        if compare:  # data: what is expected, then the new value
            return np.where(old == data[0], data[1], old)
        if operation == "mskor":  # data: the bits to clear, then those to set
            return (old & ~data[0]) | data[1]
        if operation == "wrap":
            return np.where(old >= data[0], old - data[0], old + data[1])
        if packed is not None:
            return packed(old, data[0])
        return ATOMICS[operation](old, data[0])

    def flat(row: int, active: Array) -> Array:
        low = lanes.vgpr[row][active]
        if width == 4:
            return np.asarray(low.view(dtype))
        joined = lanes.vgpr[row + 1][active].astype(np.uint64) << np.uint64(32) | low
        return np.asarray(joined.view(dtype))

    def run() -> None:
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        active = lanes.exec if pattern.active is None else pattern.active
        places = pattern.offsets[active] // width
        before = cells[places]
        old = apply_atomic(cells, places, change, tuple(flat(row, active) for row in rows))
        if not np.array_equal(before, cells[places]):
            accessor.note_write(pattern, atomic=True)
        if put is not None:
            values = np.zeros((width // 4, lanes.count, LANES), np.uint32)
            values[:, active] = np.ascontiguousarray(old).view(np.uint32).reshape(-1, width // 4).T
            put(values, None)
            if context.track_writers:
                accessor.note_read(pattern)
        accessor.observe(pattern, atomic=True)

    return run


@semantics("ds_wrxchg2_rtn_b32 ds_wrxchg2st64_rtn_b32 ds_wrxchg2_rtn_b64 ds_wrxchg2st64_rtn_b64")
def _bind_exchange_two(binding: Binding) -> Step:
    """Two exchanges at two offsets; the old values stand one behind the other."""
    width = 8 if binding.info.name.endswith("64") else 4
    scale = width * (64 if "st64" in binding.info.name else 1)
    operands = binding.instruction.operands
    lanes, context = binding.lanes, binding.context
    address = lanes.vgpr[vector_row(binding, operands[1])]
    accessors = [
        Accessor(binding, address, binding.integer(name) * scale, width, write=True)
        for name in ("offset0", "offset1")
    ]
    rows = [vector_row(binding, operand) for operand in operands[2:4]]
    target = vector_row(binding, operands[0])
    dwords = width // 4
    puts = [put_registers(binding, target + place * dwords, dwords) for place in (0, 1)]

    def run() -> None:
        patterns = [accessor.pattern() for accessor in accessors]
        clks = [pattern.clk for pattern in patterns]
        context.record.lds_clk.append(np.where(clks[0] < 0, clks[0], clks[0] + clks[1]).astype(np.int32))
        data = [lanes.vgpr[row : row + dwords].copy() for row in rows]
        for accessor, pattern, values, put in zip(accessors, patterns, data, puts, strict=True):
            old = pattern.read()
            scatter(context.lds.words, pattern.offsets, values, width, pattern.active)
            put(old, pattern.active)
            accessor.note_write(pattern, atomic=True)
            accessor.observe(pattern, atomic=True)

    return run
