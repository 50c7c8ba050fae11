"""Scalar memory: s_load and s_buffer_load of all widths, clock reads, cache control."""

from __future__ import annotations

import numpy as np

from wavesim.emulate.addresses import scalar_pair
from wavesim.emulate.operands import Source, call, dword, scalar_row
from wavesim.emulate.registry import Array, Binding, Step, semantics
from wavesim.emulate.salu import scalar_writer
from wavesim.emulate.transfer import gather
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
            context.find_out_of_bounds(binding, "reads", beyond, lanes.numbers)
        result = np.zeros((dwords, lanes.count), np.uint32)
        for region, offsets, mask in parts:
            if region.matrix is not None:
                region.matrix.prepare(offsets, offsets + 4 * dwords - 1)
            if region.writer is not None:
                context.polled.append((lanes.numbers, region.writer[offsets >> 2]))
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


@semantics("s_dcache_inv s_dcache_wb s_dcache_inv_vol s_dcache_wb_vol")
def _bind_cache_control(binding: Binding) -> Step:
    return lambda: None


for _name, _info in opcode_table().items():
    if _info.format == "SMEM" and (
        _name.startswith("s_load_dword") or _name.startswith("s_buffer_load_dword")
    ):
        semantics(_name)(_bind_load)
