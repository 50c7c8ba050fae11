"""How a race is mended: which wait, with which count, before which barrier."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wavesim.check.ordering import (
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
from wavesim.check.waits import LARGEST_COUNT, span_of
from wavesim.trace import Kind, Trace, WaveTrace

GENERAL = "wait for the first access (s_waitcnt), then s_barrier, before the second"


def race_fix(trace: Trace, one: Alive, two: Alive) -> str:
    """The wait that orders two racing accesses. Where a barrier stands between them it is the earlier one's
    completion that is missing there: the last wait before the barrier with the largest count that covers
    it, or a wait to put there."""
    earlier, later = sorted((one, two), key=lambda each: each.first)
    if earlier.first == later.first:
        return GENERAL
    order = order_of(earlier.access)
    counter = order.counter
    needed = list(_needed(trace, earlier, order, later.first - earlier.first))
    if not needed:
        return GENERAL
    places = {place for place, _, _ in needed}
    place, barrier = needed[0][0], needed[0][1]
    count = min(LARGEST_COUNT[counter] - 1, *(count for _, _, count in needed))
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
    """Of each time its wave executed the earlier access and it is open at the barrier before the later one:
    the last wait in between (None: there is none), that barrier, and the count that covers it there."""
    wave = trace.waves[earlier.access.wave]
    barriers = barrier_rows(trace, wave)
    done = completion_rows(trace, wave, order)
    operations = rows_of(trace, wave, (i for i, entry in enumerate(trace.code) if order.has(entry)))
    for row in rows_of(trace, wave, (earlier.access.index,)).tolist():
        number = int(np.searchsorted(barriers, row)) + barriers_on - 1
        if number >= len(barriers) or done.get(row, NEVER) < barriers[number]:
            continue
        barrier = int(barriers[number])
        wait = _last_wait(trace, wave, row, barrier, order.counter)
        at = barrier if wait is None else wait
        count = int(np.searchsorted(operations, at)) - int(np.searchsorted(operations, row)) - 1
        if order is Order.SCALAR or at_zero_only(trace.code[earlier.access.index]):
            count = 0
        yield None if wait is None else int(wave.code[wait]), int(wave.code[barrier]), count


def _last_wait(trace: Trace, wave: WaveTrace, row: int, barrier: int, counter: str) -> int | None:
    for at in range(barrier - 1, row, -1):
        entry = trace.code[int(wave.code[at])]
        if entry.kind is Kind.WAIT and count_of(entry, counter) is not None:
            return at
    return None
