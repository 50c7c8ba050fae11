"""What is known of a wave's stream before time runs: by row, how it is come to and what competes next."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.ops import BRANCH, LDS, MFMA, NO_BATCH, SCALAR, VALU, VMEM, Op
from wavesim.trace import Kind, WaveTrace

AT_ONCE, NEXT_CHUNK, BY_ENTRY, SPECIAL = range(4)
"""How a row follows the one before: its bytes are there and no gap can apply; no gap can; one can;
after a branch, the loop head that is watched or the last row, and in waves with polling loops."""
VECTOR, MEMORY, SCALARS = range(3)
"""Ways in which waves of a SIMD compete: for VALU and matrix pipe, for memory ports, for the scalar unit."""

Bools = npt.NDArray[np.bool_]


class CodeColumns:
    """What streams are told of static instructions, as arrays by code index."""

    def __init__(self, ops: list[Op]) -> None:
        self.category = np.array([op.category for op in ops], np.int8)
        self.batch = np.array([op.batch for op in ops], np.int8)
        self.first_chunk = np.array([op.first_chunk for op in ops], np.int64)
        self.last_chunk = np.array([op.last_chunk for op in ops], np.int64)
        self.is_barrier = np.array([op.is_barrier for op in ops], np.bool_)
        self.is_head = np.array([op.is_head for op in ops], np.bool_)
        self.ends = np.array([op.kind is Kind.ENDPGM for op in ops], np.bool_)
        self.conditional = np.array([op.conditional for op in ops], np.bool_)
        self.valu_sgpr = np.array([op.category == VALU and op.writes_sgpr for op in ops], np.bool_)


class Stream:
    """By row: ``step``, one of the above (and one beyond the last row); ``batch``, whether it may issue ahead
    of time; the next row, itself included, that ``competes`` in each way, or is a ``barrier``.
    """

    __slots__ = ("barrier", "batch", "competes", "step")

    def __init__(self, trace: WaveTrace, columns: CodeColumns, p: TimingParameters) -> None:
        code = trace.code
        category = columns.category[code]
        is_memory = (category == LDS) | (category == VMEM)
        valu, scalar, branch = category == VALU, category == SCALAR, category == BRANCH
        self.competes = (_next(valu | (category == MFMA)), _next(is_memory), _next(scalar))
        self.barrier = _next(columns.is_barrier[code])

        head = columns.is_head[code]
        batch = np.where(head, NO_BATCH, columns.batch[code])
        batch[-1:] = NO_BATCH
        if trace.spins:
            batch[:] = NO_BATCH
        self.batch: list[int] = batch.tolist()

        first, last = columns.first_chunk[code], columns.last_chunk[code]
        chunk = (np.diff(first, prepend=-1) != 0) | (np.diff(last, prepend=-1) != 0)
        slot = p.issue_slot_clk
        entry = is_memory & _lately(valu, p.gap_valu_to_memory_clk, slot)
        entry |= (category == VMEM) & _lately(scalar, p.gap_salu_to_vmem_clk, slot)
        entry |= (scalar | branch) & _lately(columns.valu_sgpr[code], p.gap_valu_sgpr_to_scalar_clk, slot)
        entry |= branch & _lately(scalar, p.gap_salu_to_cbranch_clk, slot)
        conditional = columns.conditional[code]
        after = head | columns.ends[code] | conditional | (branch & ~conditional)
        if trace.spins:  # a row does not always follow the row before
            after[:] = True
        step = np.full(len(code) + 1, SPECIAL, np.int8)
        step[:-1] = np.where(entry, BY_ENTRY, np.where(chunk, NEXT_CHUNK, AT_ONCE))
        step[1:][after] = SPECIAL
        self.step: list[int] = step.tolist()


def _next(which: Bools) -> array[int]:
    """By row, the next row of which it is true; an array, because lists of large numbers take much memory."""
    rows = np.where(which, np.arange(len(which), dtype=np.int32), np.int32(len(which) + 1))
    found = array("i")
    found.frombytes(np.ascontiguousarray(np.minimum.accumulate(rows[::-1])[::-1], np.intc).tobytes())
    return found


def _lately(which: Bools, gap_clk: int, slot_clk: int) -> Bools:
    """By row, whether a row before it is true that can have issued less than ``gap_clk`` before it."""
    found = np.zeros_like(which)
    for rows in range(1, -(-gap_clk // slot_clk)):
        found[rows:] |= which[:-rows]
    return found
