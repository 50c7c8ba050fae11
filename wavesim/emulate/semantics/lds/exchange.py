"""Exchange of values between lanes over the LDS crossbar: bpermute, permute, swizzle."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import put_registers
from wavesim.emulate.types import Step
from wavesim.isa.kinds import LANES
from wavesim.trace.trace import UNKNOWN

U32 = np.uint32
_MACRO = re.compile(r"swizzle\((\w+),([^)]*)\)$")


def unknown_clk(binding: Binding) -> npt.NDArray[np.int32]:
    """Array clocks [n] of an instruction that does not use the array."""
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
    clk = unknown_clk(binding)
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
    """Source lane of each lane for ds_swizzle's offset: masks within 32 lanes, or (bit 15) permuted quads,
    rotation (0xC000: to lower lanes, or higher with bit 10, under a mask) and bit reversal (0xE000)."""
    lane = np.arange(LANES)
    if (
        control >= 0xE000
    ):  # all five bits reversed and shifted down by the mask's count (CDNA3 ISA, DS_SWIZZLE)
        mask = control & 31
        reverse = np.array([int(f"{place:05b}"[::-1], 2) for place in range(32)])
        low = lane & 31
        return np.asarray((lane & 32) + (reverse[low] >> mask.bit_count() | low & mask))
    if control >= 0xC000:
        mask, count = control & 31, control >> 5 & 31
        low = lane & 31
        turned = low + (32 - count if control >> 10 & 1 else count)
        return (lane & 32) + (low & mask | turned & 31 & ~mask)
    if control & 0x8000:
        return (lane & ~3) + (control >> 2 * (lane & 3) & 3)
    low = lane & 31
    low = (low & (control & 31)) | (control >> 5 & 31)
    return (lane & 32) + (low ^ (control >> 10 & 31))


def swizzle_control(text: str) -> int | None:
    """The offset that ``swizzle(MODE,...)`` stands for (LLVM AMDGPU modifier syntax), or None."""
    match = _MACRO.match(text.replace(" ", ""))
    if match is None:
        return None
    mode, arguments = match[1], match[2].split(",")
    if mode == "BITMASK_PERM":
        letters = arguments[0].strip('"')
        masks = [0, 0, 0]  # and, or, xor; the first letter is the highest bit
        for place, letter in enumerate(reversed(letters)):
            for part, set_by in enumerate(("pi", "1", "i")):
                masks[part] |= (letter in set_by) << place
        return masks[0] | masks[1] << 5 | masks[2] << 10
    numbers = [int(argument, 0) for argument in arguments]
    if mode == "QUAD_PERM":
        return 0x8000 | sum(number << 2 * place for place, number in enumerate(numbers))
    if mode == "SWAP":
        return 0x1F | numbers[0] << 10
    if mode == "REVERSE":
        return 0x1F | numbers[0] - 1 << 10
    if mode == "BROADCAST":
        return 32 - numbers[0] | numbers[1] << 5
    if mode == "ROTATE":
        return 0xC000 | numbers[0] << 10 | numbers[1] << 5
    return 0xE000 | numbers[0] if mode == "FFT" else None


@semantics("ds_swizzle_b32")
def _bind_swizzle(binding: Binding) -> Step:
    operands = binding.instruction.operands
    lanes, context = binding.lanes, binding.context
    control = binding.modifier("offset", 0)
    if isinstance(control, str):
        control = swizzle_control(control)
    if not isinstance(control, int):
        raise binding.refuse(f"offset:{control} cannot be read")
    picks = swizzle_lanes(control)
    data = lanes.vgpr[vector_row(binding, operands[1])]
    put = put_registers(binding, vector_row(binding, operands[0]), 1)
    clk = unknown_clk(binding)

    def run() -> None:
        context.record.lds_clk.append(clk)
        put(np.where(lanes.exec, data, U32(0))[:, picks][None], None)

    return run
