"""Memory instructions executed for their addresses alone: what the Trace records of them, and no data.

What is out of bounds is found, and stores are counted, as when data moves.
"""

from __future__ import annotations

import numpy as np

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding
from wavesim.emulate.semantics.lds.access import Accessor, sum_clk, two_offsets
from wavesim.emulate.semantics.lds.exchange import unknown_clk
from wavesim.emulate.semantics.memory.access import Access
from wavesim.emulate.semantics.memory.scratch import ScratchPlaces
from wavesim.emulate.semantics.memory.vmem import LdsTarget, split_operands
from wavesim.emulate.types import Step
from wavesim.isa.kinds import Kind
from wavesim.program.forms import loads_to_lds


def bind_addresses(binding: Binding) -> Step:
    """The step of a memory instruction that moves no data."""
    layout = binding.info.format
    if layout == "DS":
        return _bind_lds(binding)
    if layout == "SCRATCH":
        return _bind_scratch(binding)
    return _bind_global(binding)


def _bind_lds(binding: Binding) -> Step:
    context, info = binding.context, binding.info
    if "lane_exchange" in info.flags:
        clk = unknown_clk(binding)
        return lambda: context.record.lds_clk.append(clk)
    returns = info.operands[0].role != "src"
    address = binding.lanes.vgpr[vector_row(binding, binding.instruction.operands[int(returns)])]
    write = info.kind is Kind.LDS_WRITE or "atomic_lds" in info.flags
    reads = returns and "transpose" not in info.flags
    width, offsets = info.width_bytes, [binding.integer("offset")]
    if "2" in info.name.split("_")[1]:
        width, offsets = width // 2, list(two_offsets(binding, width // 2))
    accessors = [Accessor(binding, address, offset, width, write=write) for offset in offsets]

    def run() -> None:
        patterns = [accessor.pattern() for accessor in accessors]
        context.record.lds_clk.append(patterns[0].clk if len(patterns) == 1 else sum_clk(patterns))
        for accessor, pattern in zip(accessors, patterns, strict=True):
            if write:
                accessor.note_write(pattern)
            if reads and context.track_writers:
                accessor.note_read(pattern)

    return run


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

        return load_to_lds
    write = info.kind is Kind.VMEM_STORE
    return lambda: access.touch(write=write)


def _bind_scratch(binding: Binding) -> Step:
    places = ScratchPlaces(binding, list(binding.instruction.operands))

    def touch() -> None:
        places.touch()

    return touch
