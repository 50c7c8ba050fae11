"""Addresses and range check of buffer instructions (MUBUF, MTBUF), from a resource's four SGPRs.

Layout and address: CDNA3 ISA 9.1.5 and 9.1.8. Where its text leaves a case open, ROCm/rocm-systems
10928 says what gfx950 does: the range check counts the SGPR offset, the sum of VGPR and instruction
offset wraps at 32 bits before it, and a linear buffer with an index ignores ADD_TID_ENABLE. Elements
of a swizzled buffer have 4 bytes: GFX9's resource has no field for their size (bits 116:115 are User
VM; LLVM's getScratchRsrcWords23). Swizzling rearranges indices: with neither IDXEN nor ADD_TID_ENABLE
the address is linear. Kernels that ran right set bit 63 with bit 62, the cache swizzle, and use raw
offsets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import call, dword, scalar_row, vector_row
from wavesim.emulate.registry import Binding
from wavesim.emulate.semantics.memory.addresses import PRIVATE_APERTURE, PRIVATE_BUFFER, Addresses
from wavesim.emulate.types import Array
from wavesim.isa.kinds import LANES
from wavesim.program import Operand

U32, U64 = np.uint32, np.uint64
ELEMENT_BYTES = 4
"""Bytes of a swizzled buffer's element."""


@dataclass(frozen=True)
class _Resource:
    """The fields of the resource now, one row per wave [n, 1] int64, for one kind of instruction."""

    base: Array
    stride: Array
    records: Array
    index_stride: Array
    add_lane: Array
    swizzled: Array
    unchecked: Array

    @classmethod
    def read(cls, words: npt.NDArray[np.uint32], *, indexed: bool, formatted: bool) -> _Resource:
        """From the four dwords [4, n]."""
        wide = words.astype(np.int64)[:, :, None]
        add_lane = (wide[3] >> 23 & 1) == 1
        enabled = wide[1] >> 31 == 1
        added = add_lane & (enabled | (not indexed))
        stride = wide[1] >> 16 & 0x3FFF
        if not formatted:  # bits 17:14 of the stride are where the data format is for others
            stride = np.where(added, (wide[3] >> 15 & 15) << 14 | stride, stride)
        return cls(
            base=wide[0] | (wide[1] & 0xFFFF) << 32,
            stride=stride,
            records=wide[2],
            index_stride=8 << (wide[3] >> 21 & 3),
            add_lane=added,
            swizzled=enabled & (add_lane | indexed),
            unchecked=add_lane & (not indexed),
        )

    def relative(self, index: Array, offset: Array) -> Array:
        """Bytes from the base, without the SGPR offset, of an index and an offset [n, 64]."""
        linear = index * self.stride + offset
        if not self.swizzled.any():
            return np.asarray(linear)
        group, place = index // self.index_stride, index % self.index_stride
        whole = offset // ELEMENT_BYTES * ELEMENT_BYTES
        row = group * self.stride + whole
        turned = row * self.index_stride + place * ELEMENT_BYTES + offset % ELEMENT_BYTES
        return np.where(self.swizzled, turned, linear)


def buffer_addresses(
    binding: Binding, vector: Operand, resource: Operand, scalar: Operand
) -> Callable[[int], Addresses]:
    """The addresses of an access of so many bytes now.

    Lanes out of range read 0 and write nothing, which is legal. Loads and stores of several dwords
    are checked dword by dword; those with a format, atomics and MTBUF are in range as a whole or
    not at all.
    """
    lanes = binding.lanes
    row = scalar_row(binding, resource)
    words = lanes.sgpr[row : row + 4]
    soffset = dword(binding, scalar)
    offset = U32(binding.integer("offset"))
    offen, idxen = bool(binding.modifier("offen")), bool(binding.modifier("idxen"))
    zero = np.zeros((lanes.count, LANES), np.uint32)
    index = byte = zero
    if idxen:
        index = lanes.vgpr[vector_row(binding, vector)]
    if offen:
        byte = lanes.vgpr[vector_row(binding, vector) + int(idxen)]
    lane = np.arange(LANES, dtype=np.int64)
    formatted = binding.info.format == "MTBUF" or "_format_" in binding.info.name
    by_dword = not formatted and "atomic" not in binding.info.flags

    def read(width_bytes: int) -> Addresses:
        found = _Resource.read(words, indexed=idxen, formatted=formatted)
        scalar_offset = call(soffset).astype(np.int64)
        place = (byte + offset).astype(np.int64)  # wraps at 32 bits
        number = index.astype(np.int64) + np.where(found.add_lane, lane, 0)
        begin = found.base + scalar_offset
        values = begin + found.relative(number, place)
        private = (words[1] & U32(0xFFFF) == PRIVATE_BUFFER)[:, None]
        if private.any():  # its SGPR offset counts the bytes of the whole wave
            here = (int(PRIVATE_APERTURE) << 32) + (scalar_offset >> 6) + place
            values = np.where(private, here, values)
        free = found.unchecked | private

        def inside(end: int) -> npt.NDArray[np.bool_]:
            """Lanes whose access up to ``end`` bytes after its address is in range."""
            by_offset = place + scalar_offset + end <= found.records
            by_index = (found.stride != 0) & idxen
            return np.asarray(free | np.where(by_index, index < found.records, by_offset))

        whole = inside(width_bytes)
        if by_dword and width_bytes > 4:
            scattered = found.swizzled & ~private
            if scattered.any() or (not whole.all() and (inside(4) != whole).any()):
                starts = range(0, width_bytes, 4)
                apart = [begin + found.relative(number, place + start) for start in starts]
                each = [
                    np.where(private, values + start, every)
                    for start, every in zip(starts, apart, strict=True)
                ]
                reached = np.stack([inside(start + 4) for start in starts])
                return Addresses(values.view(U64), whole, (np.stack(each).view(U64), reached))
        return Addresses(values.view(U64), None if whole.all() else whole)

    return read
