"""Memory instructions executed for their addresses alone: what the Trace records of them, and no data.

What is out of bounds is found, and stores are counted, as when data moves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding
from wavesim.emulate.semantics.lds.access import Accessor, sum_clk, two_offsets
from wavesim.emulate.semantics.lds.exchange import unknown_clk
from wavesim.emulate.semantics.memory.access import Access
from wavesim.emulate.semantics.memory.scratch import ScratchPlaces
from wavesim.emulate.semantics.memory.vmem import LdsTarget, split_operands
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import Kind
from wavesim.program import Operand
from wavesim.program.forms import loads_to_lds


def bind_addresses(binding: Binding) -> Step:
    """The step of a memory instruction that moves no data."""
    layout = binding.info.format
    if layout == "DS":
        return LdsAddresses(binding).step
    if layout == "SCRATCH":
        return _bind_scratch(binding)
    return _bind_global(binding)


class LdsAddresses:
    """An LDS instruction of which only the addresses matter; ``operand`` and ``address`` are their register
    and its lanes [n, 64], None for an exchange between lanes, which uses no address of the array."""

    def __init__(self, binding: Binding) -> None:
        info, lanes = binding.info, binding.lanes
        self.binding = binding
        self.operand: Operand | None = None
        self.address: Array | None = None
        self.write = info.kind is Kind.LDS_WRITE or "atomic_lds" in info.flags
        self.accessors: list[Accessor] = []
        if "lane_exchange" in info.flags:
            return
        self.returns = info.operands[0].role != "src"
        self.operand = binding.instruction.operands[int(self.returns)]
        self.address = address = lanes.vgpr[vector_row(binding, self.operand)]
        width, offsets = info.width_bytes, [binding.integer("offset")]
        if "2" in info.name.split("_")[1]:
            width, offsets = width // 2, list(two_offsets(binding, width // 2))
        self.accessors = [Accessor(binding, address, each, width, write=self.write) for each in offsets]

    def clk(self) -> npt.NDArray[np.int32]:
        """Its array clocks now, [n]; what is out of bounds becomes a finding."""
        if not self.accessors:
            return unknown_clk(self.binding)
        patterns = [accessor.pattern() for accessor in self.accessors]
        return patterns[0].clk if len(patterns) == 1 else sum_clk(patterns)

    def step(self) -> None:
        """Record it, and which stores it meets; observe it."""
        context = self.binding.context
        context.record.lds_clk.append(self.clk())
        for accessor in self.accessors:
            pattern = accessor.pattern()
            if self.write:
                accessor.note_write(pattern)
            accessor.observe(pattern, atomic="atomic_lds" in self.binding.info.flags)
            if self.returns and context.track_writers and "transpose" not in self.binding.info.flags:
                accessor.note_read(pattern)


def _bind_global(binding: Binding) -> Step:
    info = binding.info
    _, addresses = split_operands(binding)
    access = Access(binding, addresses, info.width_bytes, moves_data=False)
    if loads_to_lds(info, binding.instruction):
        target = LdsTarget(binding)

        def load_to_lds() -> None:
            access.touch(write=False)
            local, inside = target.places()
            target.mark(np.where(inside, local, 0) + target.base, inside)
            target.observe(local, inside, None)

        return load_to_lds
    write = info.kind is Kind.VMEM_STORE
    return lambda: access.touch(write=write)


def _bind_scratch(binding: Binding) -> Step:
    places = ScratchPlaces(binding, list(binding.instruction.operands))

    def touch() -> None:
        places.touch()

    return touch
