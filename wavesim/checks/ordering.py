"""When an access may take place: from its issue to the wait that completes it, in barrier intervals.

Between two barriers of a workgroup nothing orders its waves, so an access is alive in every barrier interval
from its issue to its completion: a read whose ``lgkmcnt`` wait stands behind the barrier may happen on either
side of it. LDS operations of a wave complete in order, and so do vector-memory operations; scalar loads at
``lgkmcnt(0)`` (CDNA3 ISA section 4.4). A counter counts no further than 15 (lgkmcnt) or 63 (vmcnt): an
operation with so many younger ones of its order is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from wavesim.emulate.observe import GlobalAccess, MemoryAccess
from wavesim.isa.kinds import LDS_KINDS
from wavesim.trace import CodeEntry, Kind, Trace, WaveTrace
from wavesim.trace.code import COUNTER_MAX

NEVER = int(np.iinfo(np.int64).max)


class Order(StrEnum):
    """Operations of a wave that complete in order among themselves, or (scalar ones) all at once."""

    LDS = "lds"
    VECTOR = "vector"
    SCALAR = "scalar"

    @property
    def counter(self) -> str:
        """The counter that tells of their completion."""
        return "vmcnt" if self is Order.VECTOR else "lgkmcnt"

    def has(self, entry: CodeEntry) -> bool:
        """Whether an instruction is such an operation."""
        if self is Order.VECTOR:
            return bool(entry.vm_increment)
        if self is Order.SCALAR:
            return bool(entry.lgkm_increment) and entry.kind is Kind.SMEM
        return bool(entry.lgkm_increment) and entry.kind in LDS_KINDS


def order_of(access: MemoryAccess) -> Order:
    """Which operations an access is one of."""
    if access.from_memory:
        return Order.VECTOR
    return Order.SCALAR if isinstance(access, GlobalAccess) else Order.LDS


def at_zero_only(entry: CodeEntry) -> bool:
    """Whether only a count of 0 completes an operation: a flat one may have gone to memory or to LDS."""
    return bool(entry.vm_increment and entry.lgkm_increment)


def count_of(entry: CodeEntry, counter: str) -> int | None:
    """What a wait asks for."""
    return entry.wait_vmcnt if counter == "vmcnt" else entry.wait_lgkmcnt


@dataclass(frozen=True, slots=True)
class Alive:
    """An access, and the first and last barrier interval in which it may take place."""

    access: MemoryAccess
    first: int
    last: int


def rows_of(trace: Trace, wave: WaveTrace, indices: Iterable[int]) -> npt.NDArray[np.int64]:
    """The rows at which a wave executed any of some static instructions."""
    return np.flatnonzero(np.isin(wave.code, list(indices)))


def barrier_rows(trace: Trace, wave: WaveTrace) -> npt.NDArray[np.int64]:
    """The rows of a wave's barriers."""
    return rows_of(trace, wave, (i for i, entry in enumerate(trace.code) if entry.kind is Kind.BARRIER))


def completion_rows(trace: Trace, wave: WaveTrace, order: Order) -> dict[int, int]:
    """For each operation's row, the row at which it is complete at the latest (absent: at none)."""
    operations = rows_of(trace, wave, (i for i, entry in enumerate(trace.code) if order.has(entry)))
    asked = [count_of(entry, order.counter) if entry.kind is Kind.WAIT else None for entry in trace.code]
    waits = {i: count for i, count in enumerate(asked) if count is not None}
    rows = rows_of(trace, wave, waits)
    counts = np.array([waits[index] for index in wave.code[rows].tolist()], np.int64)
    zero = counts == 0
    at_zero = _first_wait(operations, rows[zero], counts[zero])
    if order is Order.SCALAR:
        done = at_zero
    else:
        flat = np.array([at_zero_only(entry) for entry in trace.code], np.bool_)[wave.code[operations]]
        done = np.where(flat, at_zero, _first_wait(operations, rows, counts))
        younger = operations[COUNTER_MAX[order.counter] :]
        done[: len(younger)] = np.minimum(done[: len(younger)], younger)
    known = done != NEVER
    return dict(zip(operations[known].tolist(), done[known].tolist(), strict=True))


def _first_wait(
    operations: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Of each operation the first wait, at one of ``rows``, that leaves fewer open than are younger."""
    through = np.maximum.accumulate(np.searchsorted(operations, rows) - counts)
    first = np.searchsorted(through, np.arange(len(operations)), side="right")
    return np.append(rows, NEVER)[first]


def intervals(trace: Trace, wave: WaveTrace, accesses: Sequence[MemoryAccess]) -> Iterator[Alive]:
    """The barrier intervals in which each access of a wave may take place."""
    done: dict[Order, dict[int, int]] = {}
    complete_by = []
    for access in accesses:
        order = order_of(access)
        if order not in done:
            done[order] = completion_rows(trace, wave, order)
        complete_by.append(done[order].get(access.row, NEVER))
    barriers = barrier_rows(trace, wave)
    first = np.searchsorted(barriers, np.array([access.row for access in accesses], np.int64))
    last = np.searchsorted(barriers, np.array(complete_by, np.int64))
    yield from map(Alive, accesses, first.tolist(), last.tolist())
