"""Scratch memory: loads and stores of each lane's private bytes."""

from __future__ import annotations

import numpy as np

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import narrow_result, put_registers
from wavesim.emulate.semantics.memory.addresses import scratch_bytes, scratch_offsets
from wavesim.emulate.transfer import gather, scatter
from wavesim.emulate.types import Step
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.opcodes import opcode_table
from wavesim.program.forms import loads_to_lds

U32 = np.uint32


def _bind_scratch(binding: Binding) -> Step:
    """Private memory of each lane."""
    context, lanes = binding.context, binding.lanes
    width = binding.info.width_bytes
    operands = list(binding.instruction.operands)
    store = binding.info.kind is Kind.VMEM_STORE
    if loads_to_lds(binding.info, binding.instruction):
        raise binding.refuse("loads from scratch to LDS have no semantics")
    scalar = operands.pop()
    vector = operands.pop(0 if store else 1)
    offsets = scratch_offsets(binding, vector, scalar)
    row = vector_row(binding, operands[0])
    window = lanes.vgpr[row : row + max(1, width // 4)]
    put = put_registers(binding, row, max(1, width // 4))
    narrow, high = narrow_result(binding.info.name), "_d16_hi" in binding.info.name
    lane = lanes.numbers[:, None].astype(np.int64) * LANES + np.arange(LANES)
    base = lane * context.scratch_stride
    size = scratch_bytes(context.program)
    nothing = (np.zeros(lanes.count, np.int64), np.zeros(0, np.int64))

    def run() -> None:
        local = offsets()
        inside = lanes.exec & (local >= 0) & (local + width <= size)
        if (inside != lanes.exec).any():
            waves = lanes.numbers[(inside != lanes.exec).any(axis=1)]
            context.find(
                "scratch-out-of-bounds",
                binding,
                f"{binding.instruction.opcode} accesses scratch byte {int(local[inside != lanes.exec][0])}; "
                f"a lane has {size} bytes",
                waves,
            )
        context.record.memory_bytes.append((inside.sum(axis=1) * width).astype(np.int32))
        context.record.lines.append(nothing)
        place = np.where(inside, local, 0) + base
        if store:
            values = window >> U32(16) if high else window
            scatter(context.scratch, place, values, width, inside)
            context.stored[lanes.waves] = True
            return
        values = gather(context.scratch, place, width)
        if narrow is not None:
            values = narrow(values, window)
        put(values, inside)

    return run


for _name, _info in opcode_table().items():
    if _info.format == "SCRATCH" and "_lds_" not in _name:
        semantics(_name)(_bind_scratch)
