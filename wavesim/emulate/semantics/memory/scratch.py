"""Scratch memory: loads and stores of each lane's private bytes."""

from __future__ import annotations

import numpy as np

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import narrow_result, put_registers
from wavesim.emulate.semantics.memory.addresses import scratch_bytes, scratch_offsets
from wavesim.emulate.transfer import gather, scatter
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.opcodes import opcode_table
from wavesim.program import Operand
from wavesim.program.forms import loads_to_lds

U32 = np.uint32


class ScratchPlaces:
    """Where an instruction accesses scratch; takes the operands of the address out of ``operands``."""

    def __init__(self, binding: Binding, operands: list[Operand]) -> None:
        self.binding = binding
        self.lanes, self.context = binding.lanes, binding.context
        scalar = operands.pop()
        vector = operands.pop(0 if binding.info.kind is Kind.VMEM_STORE else 1)
        self.offsets = scratch_offsets(binding, vector, scalar)
        self.size = scratch_bytes(self.context.program)
        lane = self.lanes.numbers[:, None].astype(np.int64) * LANES + np.arange(LANES)
        self.base = lane * self.context.scratch_stride
        self.no_lines = (np.zeros(self.lanes.count, np.int64), np.zeros(0, np.int64))

    def touch(self) -> tuple[Array, Array]:
        """Bytes in the memory of all lanes, and the lanes that access; what the Trace records."""
        lanes, context, width = self.lanes, self.context, self.binding.info.width_bytes
        local = self.offsets()
        inside = lanes.exec & (local >= 0) & (local + width <= self.size)
        if (inside != lanes.exec).any():
            waves = lanes.numbers[(inside != lanes.exec).any(axis=1)]
            first = int(local[inside != lanes.exec][0])
            context.find(
                "scratch-out-of-bounds",
                self.binding,
                f"{self.binding.instruction.opcode} accesses scratch byte {first}; "
                f"a lane has {self.size} bytes",
                waves,
            )
        context.record.memory_bytes.append((inside.sum(axis=1) * width).astype(np.int32))
        context.record.lines.append(self.no_lines)
        if self.binding.info.kind is Kind.VMEM_STORE:
            context.stored[lanes.waves] = True
        return np.where(inside, local, 0) + self.base, inside


def _bind_scratch(binding: Binding) -> Step:
    """Private memory of each lane."""
    context, lanes = binding.context, binding.lanes
    width = binding.info.width_bytes
    operands = list(binding.instruction.operands)
    store = binding.info.kind is Kind.VMEM_STORE
    if loads_to_lds(binding.info, binding.instruction):
        raise binding.refuse("loads from scratch to LDS have no semantics")
    places = ScratchPlaces(binding, operands)
    row = vector_row(binding, operands[0])
    window = lanes.vgpr[row : row + max(1, width // 4)]
    put = put_registers(binding, row, max(1, width // 4))
    narrow, high = narrow_result(binding.info.name), "_d16_hi" in binding.info.name

    def run() -> None:
        place, inside = places.touch()
        if store:
            values = window >> U32(16) if high else window
            scatter(context.scratch, place, values, width, inside)
            return
        values = gather(context.scratch, place, width)
        if narrow is not None:
            values = narrow(values, window)
        put(values, inside)

    return run


for _name, _info in opcode_table().items():
    if _info.format == "SCRATCH" and "_lds_" not in _name:
        semantics(_name)(_bind_scratch)
