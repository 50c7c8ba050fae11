"""Racing pairs where waves also order each other by flags: one stores a value that another polls for.

Vector clocks. What a wave had completed when it stored the value comes before what the polling wave does
when it has got it; of LDS accesses and a flag in LDS also what it had issued, for they act in order. Barriers
order all waves of the workgroup. An access races with an earlier one (in the order of the execution, which
keeps both) that does not come before it. Reads of a flag are how waves order each other, and no race.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from wavesim.checks.ordering import NEVER, Alive, Order, barrier_rows, completion_rows, order_of
from wavesim.checks.race_pairs import OneValue, Places, RacingPair
from wavesim.emulate.observe import Acquire, MemoryAccess
from wavesim.trace import Trace

Clock = npt.NDArray[np.int64]
"""[2, waves]: of each wave the row before which what is complete (0), and LDS accesses (1), come first."""

_BARRIER, _ACQUIRE = 0, 1


class FlagOrder:
    """The clocks of the waves of one workgroup, at each barrier and behind each polling loop."""

    def __init__(self, trace: Trace, waves: Sequence[int], acquires: Sequence[Acquire]) -> None:
        self.trace = trace
        self.waves = {wave: column for column, wave in enumerate(waves)}
        self.rows: list[list[int]] = [[-1] for _ in waves]
        self.clocks: list[list[Clock]] = [[np.zeros((2, len(waves)), np.int64)] for _ in waves]
        self.flags: list[set[int]] = [set() for _ in waves]
        events: list[list[tuple[int, int, Acquire | None]]] = []
        for wave in waves:
            found: list[tuple[int, int, Acquire | None]] = [
                (row, _BARRIER, None) for row in barrier_rows(trace, trace.waves[wave]).tolist()
            ]
            done: dict[int, int] = {}
            for order in Order:
                done |= completion_rows(trace, trace.waves[wave], order)
            for acquire in acquires:
                if acquire.wave == wave:
                    found.append((done.get(acquire.row, NEVER), _ACQUIRE, acquire))
                    self.flags[self.waves[wave]].add(acquire.row)
            events.append(sorted(found, key=lambda event: event[:2]))
        self._run(events)

    def _run(self, events: list[list[tuple[int, int, Acquire | None]]]) -> None:
        """Go through the events of all waves; where none can go on (a deadlock), the rest does not count."""
        at = [0] * len(events)
        moved = True
        while moved:
            moved = False
            for column, mine in enumerate(events):
                while at[column] < len(mine) and mine[at[column]][1] == _ACQUIRE:
                    acquire = mine[at[column]][2]
                    assert acquire is not None
                    stores = [(self.waves[wave], row) for wave, row in acquire.stores if wave in self.waves]
                    if any(
                        other != column
                        and at[other] < len(events[other])
                        and events[other][at[other]][0] < row
                        for other, row in stores
                    ):
                        break  # the storing wave's clock at that row is not known yet
                    clock = self.clocks[column][-1].copy()
                    for other, row in stores:
                        if other != column:
                            np.maximum(clock, self._released(other, row), out=clock)
                    self._put(column, mine[at[column]][0], clock)
                    at[column] += 1
                    moved = True
            waiting = [column for column, mine in enumerate(events) if at[column] < len(mine)]
            if waiting and all(events[column][at[column]][1] == _BARRIER for column in waiting):
                clock = np.maximum.reduce([self.clocks[column][-1] for column in waiting])
                for column in waiting:
                    clock[0, column] = events[column][at[column]][0]
                for column in waiting:
                    self._put(column, events[column][at[column]][0], clock.copy())
                    at[column] += 1
                moved = True

    def _put(self, column: int, row: int, clock: Clock) -> None:
        self.rows[column].append(row)
        self.clocks[column].append(clock)

    def _released(self, column: int, row: int) -> Clock:
        """What a store at ``row`` hands on."""
        clock = self.clock(column, row).copy()
        clock[0, column] = row
        if Order.LDS.has(self.trace.code[int(self._code(column)[row])]):
            clock[1, column] = row
        return clock

    def _code(self, column: int) -> npt.NDArray[np.int32]:
        (wave,) = (wave for wave, place in self.waves.items() if place == column)
        return self.trace.waves[wave].code

    def clock(self, column: int, row: int) -> Clock:
        """The clock of a wave before ``row``."""
        return self.clocks[column][bisect_left(self.rows[column], row) - 1]


def racing_with_flags(
    trace: Trace,
    waves: Sequence[int],
    alive: Mapping[int, Alive],
    accesses: Sequence[MemoryAccess],
    acquires: Sequence[Acquire],
    places: Places,
    size: int,
) -> Iterator[RacingPair]:
    """Racing pairs of one workgroup, one per pair of static instructions.

    Args:
        trace: what was executed.
        waves: positions of the workgroup's waves in it.
        alive: by the identity of an access its intervals.
        accesses: of those waves, in the order of the execution.
        acquires: what reads of flags got.
        places: of addresses, see :mod:`wavesim.checks.race_pairs`.
        size: number of places.
    """
    order = FlagOrder(trace, waves, acquires)
    done: dict[tuple[int, Order], dict[int, int]] = defaultdict(dict)
    for wave in waves:
        for each in Order:
            done[wave, each] = completion_rows(trace, trace.waves[wave], each)
    shape = (len(waves), size)
    last = {write: _Last(shape) for write in (True, False)}
    harmless = OneValue(size)
    seen: set[tuple[int, int]] = set()
    for number, access in enumerate(accesses):
        column = order.waves[access.wave]
        if not access.write and access.row in order.flags[column]:
            continue
        touched = places(access.addresses, access.width_bytes)
        clock = order.clock(column, access.row)
        if access.write:
            harmless.store(access, touched)
        for write in (True, False) if access.write else (True,):
            for other, place in last[write].after(clock, column, touched):
                earlier = accesses[other]
                if earlier.atomic and access.atomic:
                    continue
                if earlier.write and access.write and not harmless.differs()[place]:
                    continue
                key = (earlier.index, access.index)
                if key not in seen:
                    seen.add(key)
                    pair = (alive[id(earlier)], alive[id(access)])
                    yield RacingPair(*(pair if earlier.write else pair[::-1]), place)
        queue = order_of(access)
        row = access.row if queue is Order.LDS else NEVER
        last[access.write].note(column, touched, number, done[access.wave, queue].get(access.row, NEVER), row)


class _Last:
    """Of each wave and place the last access: its number, and the rows that a clock must have passed."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.number: npt.NDArray[np.int32] = np.full(shape, -1, np.int32)
        self.done: npt.NDArray[np.int64] = np.full(shape, -1, np.int64)
        self.row: npt.NDArray[np.int64] = np.full(shape, -1, np.int64)

    def after(self, clock: Clock, column: int, touched: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Accesses of other waves to these places that do not come before a clock: (number, place) of one
        each."""
        number = self.number[:, touched]
        late = (number >= 0) & (self.done[:, touched] >= clock[0][:, None])
        late &= self.row[:, touched] >= clock[1][:, None]
        late[column] = False
        if late.any():
            found, first = np.unique(number[late], return_index=True)
            at = np.broadcast_to(touched, number.shape)[late][first]
            yield from zip(found.tolist(), at.tolist(), strict=True)

    def note(self, column: int, touched: npt.NDArray[np.int64], number: int, done: int, row: int) -> None:
        """An access of a wave."""
        self.number[column, touched] = number
        self.done[column, touched] = np.maximum(self.done[column, touched], done)
        self.row[column, touched] = np.maximum(self.row[column, touched], row)
