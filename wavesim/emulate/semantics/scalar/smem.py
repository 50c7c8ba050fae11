"""Scalar memory: loads and stores of all widths, atomics, clock reads, cache control."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.emulate.global_access import observe_global
from wavesim.emulate.memory import Region
from wavesim.emulate.operands import Source, call, dword, scalar_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.atomics import ATOMICS
from wavesim.emulate.semantics.memory.addresses import scalar_pair
from wavesim.emulate.semantics.scalar.salu import scalar_writer
from wavesim.emulate.transfer import gather, scatter
from wavesim.emulate.types import Array, Step
from wavesim.isa.opcodes import opcode_table

U64 = np.uint64
PLACEHOLDER_CLK = 4
"""Clocks per executed instruction that clock reads show until a timed run gives the real ones."""


def _offset(binding: Binding) -> tuple[Source, int]:
    """The offset operand, and the offset modifier beside it."""
    operands = binding.instruction.operands
    extra = binding.integer("offset")
    if len(operands) < 3:
        return np.zeros((1, 1), np.uint32), extra
    return dword(binding, operands[2]), extra


def _bind_load(binding: Binding) -> Step:
    lanes, context = binding.lanes, binding.context
    dwords = binding.info.width_bytes // 4
    operands = binding.instruction.operands
    row = scalar_row(binding, operands[0])
    base = scalar_pair(binding, operands[1])
    offset, extra = _offset(binding)
    buffer = "buffer" in binding.info.name
    records = lanes.sgpr[scalar_row(binding, operands[1]) + 2][:, None]
    target = lanes.sgpr[row : row + dwords]
    everyone = np.ones((lanes.count, 1), np.bool_)

    def run() -> None:
        start = call(offset).astype(np.int32).astype(np.int64) + extra
        address = base()
        if buffer:
            address = address & U64(0xFFFFFFFFFFFF)
        inside = everyone
        if buffer:
            inside = np.broadcast_to(start + 4 * dwords <= records.astype(np.int64), everyone.shape)
        addresses = np.ascontiguousarray(np.broadcast_to(address + start.view(U64), everyone.shape)) & ~U64(3)
        parts, beyond = context.memory.split(addresses, inside, 4 * dwords)
        if beyond is not None:
            context.find_out_of_bounds(binding, "reads", beyond)
        result = np.zeros((dwords, lanes.count), np.uint32)
        for region, offsets, mask in parts:
            if region.matrix is not None:
                region.matrix.prepare(offsets, offsets + 4 * dwords - 1)
            observe_global(binding, region, offsets, mask, 4 * dwords, scalar=True)
            region.refuse_withheld()
            if region.writer is not None:
                context.note_sources(binding, region.writer[offsets >> 2])
            values: Array = gather(region.words, offsets, 4 * dwords)[:, :, 0]
            result = np.where(mask[:, 0], values, result)
        target[...] = result

    return run


@semantics("s_memtime s_memrealtime")
def _bind_clock(binding: Binding) -> Step:
    """The clock: values given by a timed run, else a placeholder that grows with the executed rows."""
    context, lanes = binding.context, binding.lanes
    put = scalar_writer(binding)

    def run() -> None:
        values = np.zeros((lanes.count, 1), U64)
        for place, wave in enumerate(lanes.numbers.tolist()):
            number = int(context.clocks_read[wave])
            known = context.clock_values.get(wave, [])
            placeholder = PLACEHOLDER_CLK * (int(context.rows[wave]) + binding.row)
            values[place] = known[number] if number < len(known) else placeholder
        context.clocks_read[lanes.waves] += 1
        put(values)

    return run


@semantics(
    "s_dcache_inv s_dcache_wb s_dcache_inv_vol s_dcache_wb_vol s_dcache_discard s_dcache_discard_x2 "
    "s_atc_probe s_atc_probe_buffer"
)
def _bind_cache_control(binding: Binding) -> Step:
    return lambda: None


def _lane_addresses(binding: Binding, base_position: int, offset_position: int) -> Callable[[], Array]:
    """Byte addresses uint64 [n, 1] of a scalar access, aligned to dwords."""
    base = scalar_pair(binding, binding.instruction.operands[base_position])
    offset = dword(binding, binding.instruction.operands[offset_position])
    extra = binding.integer("offset")
    everyone = np.ones((binding.lanes.count, 1), np.int64)

    def addresses() -> Array:
        start = (call(offset).astype(np.int32).astype(np.int64) + extra) * everyone
        return np.ascontiguousarray((base() & U64(0xFFFFFFFFFFFF)) + start.view(U64)) & ~U64(3)

    return addresses


def _bind_store(binding: Binding) -> Step:
    """Scalar stores of 1, 2 or 4 dwords; those of a buffer are held to its records."""
    lanes, context = binding.lanes, binding.context
    dwords = binding.info.width_bytes // 4
    row = scalar_row(binding, binding.instruction.operands[0])
    addresses = _lane_addresses(binding, 1, 2)
    data = lanes.sgpr[row : row + dwords][:, :, None]
    everyone = np.ones((lanes.count, 1), np.bool_)

    def run() -> None:
        parts, beyond = context.memory.split(addresses(), everyone, 4 * dwords, write=True)
        if beyond is not None:
            context.find_out_of_bounds(binding, "writes", beyond)
        for region, offsets, mask in parts:
            _store(binding, region, offsets, mask, dwords)
            scatter(region.words, offsets, data, 4 * dwords, mask)

    return run


def _store(binding: Binding, region: Region, offsets: Array, mask: Array, dwords: int) -> None:
    """Notes that dwords of a region are written."""
    numbers = binding.context.note_store(binding.lanes, binding.row)
    if region.matrix is not None:
        region.matrix.prepare(offsets, offsets + (4 * dwords - 1))
        region.matrix.mark_written(offsets[mask], 4 * dwords)
    if region.writer is not None:
        for part in range(dwords):
            region.writer[(offsets[mask] >> 2) + part] = numbers[mask]


def _bind_atomic(binding: Binding) -> Step:
    """Scalar atomics, wave after wave; with ``glc`` the old value goes to the data registers."""
    words = binding.info.name.removeprefix("s_buffer_").removeprefix("s_").split("_")
    operation, wide = words[1], words[-1] == "x2"
    width = 8 if wide else 4
    signed = operation in ("smin", "smax")
    dtype: type[np.generic] = (
        (np.int64 if wide else np.int32) if signed else (np.uint64 if wide else np.uint32)
    )
    change = ATOMICS.get(
        {"smin": "min", "umin": "min", "smax": "max", "umax": "max"}.get(operation, operation)
    )
    lanes, context = binding.lanes, binding.context
    row = scalar_row(binding, binding.instruction.operands[0])
    addresses = _lane_addresses(binding, 1, 2)
    returns = bool(binding.modifier("glc"))
    everyone = np.ones((lanes.count, 1), np.bool_)

    def value(first: int, wave: int) -> Array:
        pair = int(lanes.sgpr[first, wave]) | (int(lanes.sgpr[first + 1, wave]) << 32 if wide else 0)
        return np.array([pair], np.uint64 if wide else np.uint32).view(dtype)

    def run() -> None:
        parts, beyond = context.memory.split(addresses(), everyone, width, write=True)
        if beyond is not None:
            context.find_out_of_bounds(binding, "writes", beyond)
        for region, offsets, mask in parts:
            _store(binding, region, offsets, mask, width // 4)
            region.refuse_withheld()
            cells: Array = region.data.view(dtype)
            for wave in np.flatnonzero(mask[:, 0]).tolist():
                place = int(offsets[wave, 0]) // width
                old = cells[place : place + 1].copy()
                data = value(row, wave)
                if change is None:  # cmpswap: the new value, then what is expected
                    cells[place : place + 1] = np.where(old == value(row + width // 4, wave), data, old)
                else:
                    cells[place : place + 1] = change(old, data)
                if returns:
                    bits = int(old.view(np.uint64 if wide else np.uint32)[0])
                    lanes.sgpr[row, wave] = bits & 0xFFFFFFFF
                    if wide:
                        lanes.sgpr[row + 1, wave] = bits >> 32

    return run


for _name, _info in opcode_table().items():
    if _info.format != "SMEM" or "scratch" in _name:
        continue
    if _name.startswith(("s_load_dword", "s_buffer_load_dword")):
        semantics(_name)(_bind_load)
    elif "store" in _info.flags:
        semantics(_name)(_bind_store)
    elif "atomic" in _info.flags:
        semantics(_name)(_bind_atomic)
