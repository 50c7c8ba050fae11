"""Addresses of vector memory instructions: global, flat and buffer forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import call, dword, scalar_row, vector_row
from wavesim.emulate.registry import Array, Binding
from wavesim.program import Operand, Program, Register, Special

U32, U64 = np.uint32, np.uint64
PRIVATE_APERTURE = U64(2 << 16)
"""High dword of a flat address that means scratch (a value of this emulator, see operands)."""

PRIVATE_BUFFER = 0x7FFE
"""The same in a buffer resource's base: the scratch descriptor that gfx90a's kernels are started with."""


def is_enabled(program: Program, name: str) -> bool:
    """Whether a flag of the kernel's descriptor is set (``user_sgpr_queue_ptr``)."""
    return program.metadata.extra.get(name, "0").strip() not in ("0", "")


def has_scratch_buffer(program: Program) -> bool:
    """Whether the kernel gets a buffer resource for its scratch memory: gfx90a, not gfx942 and gfx950."""
    return is_enabled(program, "user_sgpr_private_segment_buffer")


@dataclass(frozen=True)
class Addresses:
    """Byte addresses uint64 [n, 64], and the lanes that access at all (None: EXEC)."""

    values: Array
    inside: npt.NDArray[np.bool_] | None = None


def is_off(operand: Operand) -> bool:
    """Whether an address operand is ``off``."""
    return isinstance(operand, Special) and operand.name in ("off", "null")


def pair(binding: Binding, row: int) -> Callable[[], Array]:
    """A reader of a VGPR pair as uint64 [n, 64]."""
    low, high = binding.lanes.vgpr[row], binding.lanes.vgpr[row + 1]
    return lambda: high.astype(U64) << U64(32) | low


def scalar_pair(binding: Binding, operand: Operand) -> Callable[[], Array]:
    """A reader of an SGPR pair as uint64 [n, 1]."""
    row = scalar_row(binding, operand)
    low, high = binding.lanes.sgpr[row][:, None], binding.lanes.sgpr[row + 1][:, None]
    return lambda: high.astype(U64) << U64(32) | low


def flat_addresses(binding: Binding, vector: Operand, scalar: Operand | None) -> Callable[[], Addresses]:
    """Global and flat: a 64-bit VGPR pair, or an SGPR pair plus a 32-bit VGPR; plus the offset."""
    offset = U64(binding.integer("offset") & 0xFFFFFFFFFFFFFFFF)
    if scalar is None or is_off(scalar):
        row = vector_row(binding, vector)
        read = pair(binding, row)
        return lambda: Addresses(read() + offset)
    base = scalar_pair(binding, scalar)
    if is_off(vector):
        shape = (binding.lanes.count, 64)
        return lambda: Addresses(np.broadcast_to(base() + offset, shape).copy())
    lane = binding.lanes.vgpr[vector_row(binding, vector)]
    return lambda: Addresses(lane.astype(U64) + (base() + offset))


def buffer_addresses(
    binding: Binding, vector: Operand, resource: Operand, scalar: Operand, width_bytes: int
) -> Callable[[], Addresses]:
    """Buffer: base and bounds from the resource's four SGPRs, offsets from VGPRs, SGPR and instruction.

    Lanes outside ``num_records`` read 0 and write nothing, which is legal (CDNA3 ISA, buffer range checking):
    records count bytes, or elements of ``stride`` bytes where the access has an index. Swizzled buffers put
    ``index_stride`` elements of ``element_size`` bytes side by side (CDNA3 ISA, swizzled buffer addressing).
    """
    lanes = binding.lanes
    row = scalar_row(binding, resource)
    words = lanes.sgpr[row : row + 4]
    soffset = dword(binding, scalar)
    offset = binding.integer("offset")
    offen, idxen = bool(binding.modifier("offen")), bool(binding.modifier("idxen"))
    zero = np.zeros((lanes.count, 64), np.uint32)
    index = byte = zero
    if idxen:
        index = lanes.vgpr[vector_row(binding, vector)]
    if offen:
        byte = lanes.vgpr[vector_row(binding, vector) + int(idxen)]
    lane = np.arange(64, dtype=np.int64)

    def read() -> Addresses:
        base = words[0].astype(np.int64) | (words[1].astype(np.int64) & 0xFFFF) << 32
        stride = (words[1].astype(np.int64) >> 16 & 0x3FFF)[:, None]
        records = words[2].astype(np.int64)[:, None]
        add_lane = (words[3] >> U32(23) & U32(1)).astype(np.int64)[:, None]
        scalar_offset = call(soffset).astype(np.int64)
        place = byte.astype(np.int64) + offset
        number = index.astype(np.int64) + add_lane * lane
        relative = number * stride + place
        raw = relative + scalar_offset + width_bytes <= records
        indexed = (add_lane == 1) | idxen
        inside = np.where((stride == 0) | ~indexed, raw, number < records)
        swizzled = words[1] >> U32(31) == 1
        if swizzled.any():
            relative = np.where(swizzled[:, None], _swizzled(words[3], number, place, stride), relative)
        values = base[:, None] + scalar_offset + relative
        private = words[1] & U32(0xFFFF) == PRIVATE_BUFFER
        if private.any():  # its SGPR offset counts the bytes of the whole wave
            here = (int(PRIVATE_APERTURE) << 32) + (scalar_offset >> 6) + place
            values = np.where(private[:, None], here, values)
            inside = inside | private[:, None]
        return Addresses(values.view(U64), None if inside.all() else inside)

    return read


def _swizzled(word: Array, index: Array, offset: Array, stride: Array) -> Array:
    """Byte offsets in a swizzled buffer; ``word`` is the resource's fourth dword [n]."""
    index_stride = (8 << (word >> U32(21) & U32(3)).astype(np.int64))[:, None]
    element = (2 << (word >> U32(19) & U32(3)).astype(np.int64))[:, None]
    row = index // index_stride * stride + offset // element * element
    return np.asarray(row * index_stride + index % index_stride * element + offset % element)


def scratch_offsets(binding: Binding, vector: Operand, scalar: Operand) -> Callable[[], Array]:
    """Scratch: byte offsets int64 [n, 64] within a lane's private memory."""
    lanes = binding.lanes
    offset = binding.integer("offset")
    lane: Array = np.zeros((lanes.count, 64), np.uint32)
    if isinstance(vector, Register):
        lane = lanes.vgpr[vector_row(binding, vector)]
    base: Array = np.zeros((1, 1), np.uint32)
    if not is_off(scalar):
        base = lanes.sgpr[scalar_row(binding, scalar)][:, None]
    return lambda: lane.astype(np.int64) + base.astype(np.int64) + offset
