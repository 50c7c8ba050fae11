"""Exchange of values between lanes over the LDS crossbar: bpermute, permute, swizzle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.emulate.lds import put_registers
from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, Step, semantics
from wavesim.emulate.state import LANES
from wavesim.trace.trace import UNKNOWN

U32 = np.uint32


def _unknown_clk(binding: Binding) -> npt.NDArray[np.int32]:
    return np.full(binding.lanes.count, UNKNOWN, np.int32)


@semantics("ds_bpermute_b32 ds_permute_b32")
def _bind_permute(binding: Binding) -> Step:
    operands = binding.instruction.operands
    lanes, context = binding.lanes, binding.context
    address = lanes.vgpr[vector_row(binding, operands[1])]
    data = lanes.vgpr[vector_row(binding, operands[2])]
    row = vector_row(binding, operands[0])
    put = put_registers(binding, row, 1)
    offset = U32(binding.integer("offset"))
    clk = _unknown_clk(binding)
    pull = binding.info.name == "ds_bpermute_b32"
    waves = np.arange(lanes.count)[:, None]

    def run() -> None:
        context.record.lds_clk.append(clk)
        other = ((address + offset) >> U32(2) & U32(63)).astype(np.intp)
        if pull:  # from lanes that are not active comes 0
            values = np.where(lanes.exec, data, U32(0))[waves, other]
        else:
            values = np.zeros((lanes.count, LANES), np.uint32)
            places = np.broadcast_to(waves, other.shape)
            values[places[lanes.exec], other[lanes.exec]] = data[lanes.exec]
        put(values[None], None)

    return run


def swizzle_lanes(control: int) -> npt.NDArray[np.intp]:
    """Source lane of each lane for ds_swizzle's offset: quad mode (bit 15) or masks within 32 lanes."""
    lane = np.arange(LANES)
    if control & 0x8000:
        return (lane & ~3) + (control >> 2 * (lane & 3) & 3)
    low = lane & 31
    low = (low & (control & 31)) | (control >> 5 & 31)
    return (lane & 32) + (low ^ (control >> 10 & 31))


@semantics("ds_swizzle_b32")
def _bind_swizzle(binding: Binding) -> Step:
    operands = binding.instruction.operands
    lanes, context = binding.lanes, binding.context
    control = binding.modifier("offset", 0)
    if not isinstance(control, int):
        raise binding.refuse("offset must be a number here")
    picks = swizzle_lanes(control)
    data = lanes.vgpr[vector_row(binding, operands[1])]
    put = put_registers(binding, vector_row(binding, operands[0]), 1)
    clk = _unknown_clk(binding)

    def run() -> None:
        context.record.lds_clk.append(clk)
        put(np.where(lanes.exec, data, U32(0))[:, picks][None], None)

    return run
