"""LDS reads that transpose (gfx950), and accesses whose address follows from M0 and the lane.

CDNA4 ISA, LDS instructions: DS_READ_B64_TR_B{4,8,16}, DS_READ_B96_TR_B6; DS_READ_ADDTID_B32 and its write use
M0 + offset + 4 * lane, DS_APPEND and DS_CONSUME count active lanes at M0 + offset.
"""

from __future__ import annotations

import numpy as np

from wavesim.emulate.operands import vector_row
from wavesim.emulate.registry import Binding, semantics
from wavesim.emulate.semantics.lds.access import Accessor, put_registers
from wavesim.emulate.state import M0
from wavesim.emulate.transfer import scatter
from wavesim.emulate.types import Array, Step
from wavesim.isa.kinds import LANES

U32 = np.uint32

_TRANSPOSE_BITS: dict[str, int] = {
    "ds_read_b64_tr_b16": 16,
    "ds_read_b64_tr_b8": 8,
    "ds_read_b96_tr_b6": 6,
    "ds_read_b64_tr_b4": 4,
}


@semantics(*_TRANSPOSE_BITS)
def _bind_transpose(binding: Binding) -> Step:
    """Sixteen lanes read a block of E rows of 16; each lane gets a column's elements.

    Of the 16 lanes' 16 x E elements (E per lane: 4 halves, 8 bytes, 16 of 6 or 4 bits), taken as one
    row-major sequence of E rows of 16, lane l receives column l.
    """
    bits = _TRANSPOSE_BITS[binding.info.name]
    width = binding.info.width_bytes
    operands = binding.instruction.operands
    lanes, context = binding.lanes, binding.context
    address = lanes.vgpr[vector_row(binding, operands[1])]
    accessor = Accessor(binding, address, binding.integer("offset"), width, write=False)
    put = put_registers(binding, vector_row(binding, operands[0]), width // 4)
    per_lane = 8 * width // bits

    def run() -> None:
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        values = np.moveaxis(pattern.read(), 0, -1)
        octets = np.ascontiguousarray(values).view(np.uint8)
        parts = _split(octets, bits, lanes.count)
        blocks = parts.reshape(lanes.count, 4, per_lane, 16)
        turned = np.ascontiguousarray(blocks.swapaxes(2, 3)).reshape(lanes.count, LANES, per_lane)
        put(np.moveaxis(_joined(turned, bits).view(np.uint32), -1, 0), pattern.active)
        if context.observe_lds:
            accessor.observe(pattern)

    return run


def _split(octets: Array, bits: int, count: int) -> Array:
    """Bytes of each lane [n, 64, width] as elements of ``bits`` bits."""
    if bits == 16:
        return octets.view(np.uint16)
    if bits == 8:
        return octets
    if bits == 4:
        return np.stack([octets & 15, octets >> 4], axis=-1).reshape(count, LANES, 16)
    single = np.unpackbits(octets, axis=-1, bitorder="little").reshape(count, LANES, -1, bits)
    return np.asarray((single << np.arange(bits, dtype=np.uint8)).sum(axis=-1, dtype=np.uint8))


def _joined(elements: Array, bits: int) -> Array:
    """The reverse of :func:`_split`: elements [n, 64, E] as bytes."""
    if bits == 16 or bits == 8:
        return np.ascontiguousarray(elements)
    if bits == 4:
        return np.ascontiguousarray(elements[..., 0::2] | elements[..., 1::2] << 4)
    single = elements[..., None] >> np.arange(bits, dtype=np.uint8) & 1
    flat = single.reshape(*elements.shape[:-1], -1)
    return np.ascontiguousarray(np.packbits(flat, axis=-1, bitorder="little"))


def _lane_address(binding: Binding, step: int) -> tuple[Accessor, Array]:
    """An accessor at M0 + offset + step * lane, and the array that holds the addresses (to be renewed)."""
    address = np.zeros((binding.lanes.count, LANES), np.uint32)
    accessor = Accessor(
        binding, address, binding.integer("offset"), 4, write=binding.info.name != "ds_read_addtid_b32"
    )
    return accessor, address


def _renew(binding: Binding, address: Array, step: int) -> None:
    base = (binding.lanes.sgpr[M0] & U32(0xFFFF))[:, None]
    address[...] = base + np.arange(LANES, dtype=np.uint32) * U32(step)


@semantics("ds_read_addtid_b32")
def _bind_read_addtid(binding: Binding) -> Step:
    accessor, address = _lane_address(binding, 4)
    put = put_registers(binding, vector_row(binding, binding.instruction.operands[0]), 1)
    context = binding.context

    def run() -> None:
        _renew(binding, address, 4)
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        put(pattern.read(), pattern.active)
        accessor.observe(pattern)

    return run


@semantics("ds_write_addtid_b32")
def _bind_write_addtid(binding: Binding) -> Step:
    accessor, address = _lane_address(binding, 4)
    row = vector_row(binding, binding.instruction.operands[0])
    data = binding.lanes.vgpr[row : row + 1]
    context = binding.context

    def run() -> None:
        _renew(binding, address, 4)
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        scatter(context.lds.words, pattern.offsets, data, 4, pattern.active)
        accessor.note_write(pattern)
        accessor.observe(pattern)

    return run


@semantics("ds_append ds_consume")
def _bind_append(binding: Binding) -> Step:
    """The counter in LDS goes up (or down) by the number of active lanes; every lane gets its old value."""
    accessor, address = _lane_address(binding, 0)
    put = put_registers(binding, vector_row(binding, binding.instruction.operands[0]), 1)
    context, lanes = binding.context, binding.lanes
    sign = 1 if binding.info.name == "ds_append" else -1

    def run() -> None:
        _renew(binding, address, 0)
        pattern = accessor.pattern()
        context.record.lds_clk.append(pattern.clk)
        old = np.zeros((1, lanes.count, LANES), np.uint32)
        words = context.lds.words
        for wave in range(lanes.count):
            active = lanes.exec[wave] if pattern.active is None else pattern.active[wave]
            if not active.any():
                continue
            place = int(pattern.offsets[wave][active][0]) >> 2
            old[0, wave] = words[place]
            words[place] = np.uint32((int(words[place]) + sign * int(active.sum())) & 0xFFFFFFFF)
        put(old, pattern.active)
        accessor.note_write(pattern)
        accessor.observe(pattern)

    return run
