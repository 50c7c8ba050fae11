"""Addresses of vector memory instructions: global, flat and scratch forms (buffers: see buffers)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.operands import scalar_row, vector_row
from wavesim.emulate.registry import Binding
from wavesim.emulate.types import Array
from wavesim.isa.kinds import LANES
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


STACK_BYTES = 1024
"""Scratch memory of a lane at least, where calls have a depth that the compiler does not know (HIP's
hipLimitStackSize, as it is unless it is set)."""


def scratch_bytes(program: Program) -> int:
    """Bytes of scratch memory that a lane has."""
    fixed = program.metadata.scratch_bytes
    return max(fixed, STACK_BYTES) if is_enabled(program, "uses_dynamic_stack") else fixed


@dataclass(frozen=True)
class Addresses:
    """Byte addresses uint64 [n, 64], and the lanes that access at all (None: EXEC).

    ``dwords`` is given where the dwords of an access do not follow each other or some are out of range:
    addresses uint64 [dwords, n, 64] and lanes [dwords, n, 64] of each.
    """

    values: Array
    inside: npt.NDArray[np.bool_] | None = None
    dwords: tuple[Array, npt.NDArray[np.bool_]] | None = None


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


def flat_addresses(binding: Binding, vector: Operand, scalar: Operand | None) -> Callable[[int], Addresses]:
    """Global and flat: a 64-bit VGPR pair, or an SGPR pair plus a 32-bit VGPR; plus the offset.

    They do not depend on the access's bytes, which the reader is given.
    """
    offset = U64(binding.integer("offset") & 0xFFFFFFFFFFFFFFFF)
    if scalar is None or is_off(scalar):
        row = vector_row(binding, vector)
        read = pair(binding, row)
        return lambda _: Addresses(read() + offset)
    base = scalar_pair(binding, scalar)
    if is_off(vector):
        shape = (binding.lanes.count, LANES)
        return lambda _: Addresses(np.broadcast_to(base() + offset, shape).copy())
    lane = binding.lanes.vgpr[vector_row(binding, vector)]
    return lambda _: Addresses(lane.astype(U64) + (base() + offset))


def scratch_offsets(binding: Binding, vector: Operand, scalar: Operand) -> Callable[[], Array]:
    """Scratch: byte offsets int64 [n, 64] within a lane's private memory."""
    lanes = binding.lanes
    offset = binding.integer("offset")
    lane: Array = np.zeros((lanes.count, LANES), np.uint32)
    if isinstance(vector, Register):
        lane = lanes.vgpr[vector_row(binding, vector)]
    base: Array = np.zeros((1, 1), np.uint32)
    if not is_off(scalar):
        base = lanes.sgpr[scalar_row(binding, scalar)][:, None]
    return lambda: lane.astype(np.int64) + base.astype(np.int64) + offset
