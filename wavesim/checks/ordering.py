"""When an access may take place: from its issue to the wait that completes it, in barrier intervals.

Between two barriers of a workgroup nothing orders its waves, so an access is alive in every barrier interval
from its issue to its completion: a read whose ``lgkmcnt`` wait stands behind the barrier may happen on either
side of it. LDS operations of a wave complete in order, and so do vector-memory operations; scalar loads at
``lgkmcnt(0)`` (CDNA3 ISA section 4.4). A counter counts no further than 15 (lgkmcnt) or 63 (vmcnt): an
operation with so many younger ones of its order is complete.
"""

from __future__ import annotations

from bisect import bisect_left
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
    operations = rows_of(trace, wave, (i for i, entry in enumerate(trace.code) if order.has(entry))).tolist()
    counter = order.counter
    waits = [
        index
        for index, entry in enumerate(trace.code)
        if entry.kind is Kind.WAIT and count_of(entry, counter) is not None
    ]
    done: dict[int, int] = {}
    open_from = 0
    flat: list[int] = []
    for row in rows_of(trace, wave, waits).tolist():
        count = count_of(trace.code[int(wave.code[row])], counter)
        if count is None or (order is Order.SCALAR and count):
            continue
        through = max(bisect_left(operations, row) - count, open_from)
        for operation in operations[open_from:through]:
            if count and at_zero_only(trace.code[int(wave.code[operation])]):
                flat.append(operation)
            else:
                done[operation] = row
        if not count:
            done.update(dict.fromkeys(flat, row))
            flat.clear()
        open_from = through
    if order is not Order.SCALAR:
        room = COUNTER_MAX[counter]
        for operation, younger in zip(operations, operations[room:], strict=False):
            done[operation] = min(done.get(operation, NEVER), younger)
    return done


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
