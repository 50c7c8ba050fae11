"""How accesses are ordered: which wait, with which count, before which barrier or access."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from wavesim.checks.ordering import (
    NEVER,
    Alive,
    Order,
    at_zero_only,
    barrier_rows,
    completion_rows,
    count_of,
    order_of,
    rows_of,
)
from wavesim.checks.waits import span_of
from wavesim.trace import Kind, Trace, WaveTrace
from wavesim.trace.code import COUNTER_MAX

GENERAL = "wait for the first access (s_waitcnt), then s_barrier, before the second"
BY_FLAG = (
    "wait for the first access (s_waitcnt) before the flag that the other wave polls for is stored, and poll "
    "before the second; or s_barrier between the two"
)


def race_fix(trace: Trace, one: Alive, two: Alive, *, flags: bool = False) -> str:
    """The wait that orders two racing accesses; ``flags``: waves poll for flags too.

    With a barrier between them, the earlier access may not be complete there. The fix is the last wait
    before the barrier with the largest count that covers it, or a new wait."""
    earlier, later = sorted((one, two), key=lambda each: each.first)
    if earlier.first == later.first:
        return BY_FLAG if flags else GENERAL
    order = order_of(earlier.access)
    counter = order.counter
    needed = list(_needed(trace, earlier, order, later.first - earlier.first))
    if not needed:
        return GENERAL
    places = {place for place, _, _ in needed}
    place, barrier = needed[0][0], needed[0][1]
    count = min(count for _, _, count in needed)
    opcode = trace.code[earlier.access.index].instruction.opcode
    entry = trace.code[place] if place is not None else None
    if entry is None or len(places) > 1:
        return f"put s_waitcnt {counter}({count}), which covers the {opcode}, before the s_barrier at " + str(
            span_of(trace.program, barrier)
        )
    return (
        f"the s_waitcnt at {span_of(trace.program, place or 0)} before the s_barrier needs "
        f"{counter}({count}), not {counter}({count_of(entry, counter)}), to cover the {opcode}"
    )


def _needed(
    trace: Trace, earlier: Alive, order: Order, barriers_on: int
) -> Iterator[tuple[int | None, int, int]]:
    """For each execution of the earlier access that is open at the barrier before the later one: the last
    wait in between (None: there is none), that barrier, and the count that covers the access there."""
    wave = trace.waves[earlier.access.wave]
    barriers = barrier_rows(trace, wave)
    done = completion_rows(trace, wave, order)
    operations = rows_of(trace, wave, (i for i, entry in enumerate(trace.code) if order.has(entry)))
    for row in rows_of(trace, wave, (earlier.access.index,)).tolist():
        number = int(np.searchsorted(barriers, row)) + barriers_on - 1
        if number >= len(barriers) or done.get(row, NEVER) < barriers[number]:
            continue
        barrier = int(barriers[number])
        place, count = covering_wait(trace, wave, row, barrier, order, operations)
        yield place, int(wave.code[barrier]), count


def covering_wait(
    trace: Trace, wave: WaveTrace, row: int, before: int, order: Order, operations: npt.NDArray[np.int64]
) -> tuple[int | None, int]:
    """The last wait for the counter between an operation and the row ``before`` (None: there is none), and
    the count that completes the operation there; ``operations`` are the rows of its order."""
    wait = _last_wait(trace, wave, row, before, order.counter)
    at = before if wait is None else wait
    count = int(np.searchsorted(operations, at)) - int(np.searchsorted(operations, row)) - 1
    if order is Order.SCALAR or at_zero_only(trace.code[int(wave.code[row])]):
        count = 0
    count = min(count, COUNTER_MAX[order.counter] - 1)  # the largest encodes no wait
    return None if wait is None else int(wave.code[wait]), count


def _last_wait(trace: Trace, wave: WaveTrace, row: int, barrier: int, counter: str) -> int | None:
    for at in range(barrier - 1, row, -1):
        entry = trace.code[int(wave.code[at])]
        if entry.kind is Kind.WAIT and count_of(entry, counter) is not None:
            return at
    return None
