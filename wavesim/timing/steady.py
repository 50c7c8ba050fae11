"""Steady state (docs/model.md §13): see that the machine's state recurs, skip whole periods, fill them in.

The engine goes on in its own time. When the state at a loop head equals an earlier one and the records to
come repeat, every wave's position is moved forward by whole periods; when the run has ended, the rows in
between are filled with shifted copies and all later clocks are moved by the time skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wavesim.timing.simpy_wave import UNKNOWN_CLK, Access, Wave
from wavesim.trace import Extrapolation, Trace, WaveTrace

if TYPE_CHECKING:
    from wavesim.timing.simpy_engine import ComputeUnit

SHORTEST_GAP_KEPT_CLK = 64
"""Issue times further back than any dependency gap reaches are all alike."""

LONGEST_SERVICE_CLK = 4096
"""A return further back than any service time lasts delays no later one."""

FEWEST_PERIODS = 2
"""Copying fewer periods is not worth it."""

Int64 = npt.NDArray[np.int64]


def loop_head(trace: Trace) -> int | None:
    """Static index to which the oldest wave jumps back most often; ``None`` without a loop."""
    if not trace.waves or len(trace.waves[0]) < 2:
        return None
    code = trace.waves[0].code
    targets = code[1:][code[1:] <= code[:-1]]
    if not len(targets):
        return None
    counts: Counter[int] = Counter(targets.tolist())
    return min(counts, key=lambda index: (-counts[index], index))


@dataclass(frozen=True)
class Skip:
    """Waves' rows ``first`` to ``last`` are one period of ``period_clk``; ``periods`` more were skipped.

    ``first_use`` to ``last_use``: what the period added to the log of each resource.
    """

    from_clk: int
    period_clk: int
    periods: int
    first: tuple[int, ...]
    last: tuple[int, ...]
    first_use: dict[tuple[str, int], int]
    last_use: dict[tuple[str, int], int]


class SteadyState:
    """Watches one run."""

    def __init__(self, unit: ComputeUnit) -> None:
        self.unit = unit
        self.seen: dict[tuple[Any, ...], tuple[int, tuple[int, ...], dict[tuple[str, int], int]]] = {}
        self.skip: Skip | None = None
        self.in_flight: list[tuple[Wave, int, int]] = []  # whose done clock comes to stand in a later row

    def observe(self) -> bool:
        """The oldest wave has issued its loop head in this clock: skip if possible; whether it did."""
        unit = self.unit
        now = unit.now
        rows = tuple(wave.row for wave in unit.waves)
        state = state_of(unit)
        earlier = self.seen.get(state)  # equal by value: tuples of integers
        uses = {name: len(log.uses) for name, log in unit.logs.items()}
        self.seen[state] = (now, rows, uses)
        if earlier is None:
            return False
        then, rows_then, uses_then = earlier
        periods = min(
            (
                repeats(wave.trace, first, last - first)
                for wave, first, last in zip(unit.waves, rows_then, rows, strict=True)
                if last > first
            ),
            default=0,
        )
        if periods < FEWEST_PERIODS:
            return False
        self.skip = Skip(now, now - then, periods, rows_then, rows, uses_then, uses)
        self._move(periods)
        return True

    def _move(self, periods: int) -> None:
        assert self.skip is not None
        distance = [
            periods * (last - first) for first, last in zip(self.skip.first, self.skip.last, strict=True)
        ]
        for wave, rows in zip(self.unit.waves, distance, strict=True):
            if not rows:
                continue
            for place in range(len(wave.stalls) - 1, -1, -1):
                row, reason, begin = wave.stalls[place]
                if row < wave.row:
                    break
                wave.stalls[place] = (row + rows, reason, begin)
            wave.ahead.forget()
            if wave.row < wave.length:
                wave.attempt[wave.row + rows] = wave.attempt[wave.row]
                wave.attempt[wave.row] = -1
            wave.row += rows
        for access in _in_flight(self.unit):
            moved = access.row + distance[access.wave.position]
            self.in_flight.append((access.wave, access.row, moved))
            access.row = moved
        memory = self.unit.memory
        if memory.last_wave is not None:
            memory.last_row += distance[memory.last_wave.position]

    # -- after the run

    def give_back(self) -> None:
        """Done clocks of accesses that were in flight when the skip happened, to their own rows."""
        for wave, row, moved in self.in_flight:
            if wave.done[row] < 0:  # loads to LDS have theirs since they issued
                wave.done[row] = wave.done[moved]

    def fill_wave(self, wave: Wave, columns: Sequence[Int64]) -> None:
        """Fill the skipped rows of per-row clock arrays and move the later ones, in place."""
        skip = self.skip
        if skip is None:
            return
        first, last = skip.first[wave.position], skip.last[wave.position]
        length = last - first
        end = last + skip.periods * length
        for column in columns:
            known = column[first:last].copy()
            column[end:][column[end:] >= 0] += skip.periods * skip.period_clk
            for number in range(skip.periods + 1):
                begin = first + number * length
                column[begin : begin + length] = np.where(known >= 0, known + number * skip.period_clk, -1)

    def fill_stalls(self, wave: Wave, stalls: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Stall rows (row, reason, clocks) with the skipped periods' copies put in."""
        skip = self.skip
        if skip is None:
            return stalls
        first, last = skip.first[wave.position], skip.last[wave.position]
        period = stalls[(stalls[:, 0] >= first) & (stalls[:, 0] < last)]
        step = np.array([last - first, 0, 0], np.int32)
        copies = [period + number * step for number in range(skip.periods + 1)]
        before, after = stalls[stalls[:, 0] < first], stalls[stalls[:, 0] >= last]
        return np.concatenate([before, *copies, after])

    def fill_uses(self, name: tuple[str, int], uses: Int64) -> Int64:
        """Uses of a resource (start, end, wave, row), as logged, with the skipped periods' copies put in."""
        skip = self.skip
        if skip is None or not len(uses):
            return uses
        first, last = skip.first_use[name], skip.last_use[name]
        period, later = uses[first:last], uses[last:].copy()
        later[:, :2] += self.skipped_clk
        step = np.zeros_like(period)
        step[:, :2] = skip.period_clk
        step[:, 3] = (np.array(skip.last) - np.array(skip.first))[period[:, 2]]
        copies = [period + number * step for number in range(skip.periods + 1)]
        return np.concatenate([uses[:first], *copies, later])

    @property
    def skipped_clk(self) -> int:
        """Clocks that were copied instead of stepped."""
        return 0 if self.skip is None else self.skip.periods * self.skip.period_clk

    def finish_clk(self, wave: Wave) -> int:
        """End of a wave; one that had ended before the skip keeps its clock."""
        if self.skip is None or self.skip.first[wave.position] == self.skip.last[wave.position]:
            return wave.finish_clk
        return wave.finish_clk + self.skipped_clk

    def extrapolation(self) -> Extrapolation | None:
        """What the Timeline says of it."""
        if self.skip is None:
            return None
        return Extrapolation(self.skip.from_clk, self.skip.period_clk, self.skip.periods)


def repeats(trace: WaveTrace, first: int, length: int) -> int:
    """How many further periods equal the records ``[first, first + length)``, the record after included."""
    count = len(trace)
    usable = count - length - first
    if usable <= 0:
        return 0
    same = np.ones(usable, np.bool_)
    for column in (
        trace.code,
        trace.array_clk,
        trace.memory_bytes,
        trace.taken,
        trace.memory_latency_clk,
    ):
        same &= column[first : first + usable] == column[first + length : first + length + usable]
    different = np.flatnonzero(~same)
    matching = int(different[0]) if len(different) else usable
    return max(0, (matching - 1) // length)


def _in_flight(unit: ComputeUnit) -> list[Access]:
    """Accesses that will still be booked on a row: LDS accesses that wait to be served, and loads to LDS."""
    accesses = [access for port in unit.ports for access in port.waiting]
    for arrivals in unit.array.arrivals.values():
        accesses += arrivals
    return accesses


def state_of(unit: ComputeUnit) -> tuple[Any, ...]:
    """The machine's state relative to now: equal states have equal futures on equal records."""
    now = unit.now
    memory = unit.memory
    p = unit.parameters
    last_wave = memory.last_wave
    return (
        tuple(_wave_state(wave, now) for wave in unit.waves),
        tuple(
            (group, tuple((clk - now, place) for clk, place in ends)) for group, ends in unit.ended.items()
        ),
        tuple(
            (
                _left(simd.pipe_free, now),
                _left(simd.scaled_start, now),
                _left(simd.valu_blocked_until, now),
                _left(simd.memory_blocked_until, now),
                _left(simd.valu_held_until, now),
                _left(simd.dual_from, now),
            )
            for simd in unit.simds
        ),
        unit.turns.state(now) if unit.turns is not None else (),
        tuple(
            (
                port.last_simd,
                _left(port.held_until, now),
                _left(port.previous_done, now),
                max(port.stream_start - now, -p.lds_join_near_clk - 1),
                tuple(_left(access.queue_free, now) for access in port.queue if access.queue_free > now),
                tuple(
                    (
                        access.wave.position,
                        access.wave.row - access.row,
                        access.port,
                        access.array,
                        access.latency,
                        access.count,
                    )
                    for access in port.waiting
                ),
            )
            for port in unit.ports
        ),
        (
            _left(unit.array.free, now),
            unit.array.last,
            tuple(
                (clk - now, tuple(port.number for port in ports))
                for clk, ports in sorted(unit.array.heads.items())
            ),
            tuple(
                (clk - now, tuple((access.wave.position, access.array) for access in arrivals))
                for clk, arrivals in sorted(unit.array.arrivals.items())
            ),
        ),
        (
            memory.last_simd,
            -1 if last_wave is None else last_wave.position,
            -1 if last_wave is None else min(2, last_wave.row - memory.last_row),
            max(memory.last_clk - now, -p.memory_idle_clk - 1) if memory.accepted else 0,
            max(memory.wake_clk - now, -p.memory_idle_clk - 1),
            min(len(memory.accepted), max(p.memory_queue_entries, p.memory_tail_entries)),
            tuple(_left(clk, now) for clk in memory.accepted[-p.memory_queue_entries :]),
            _left(memory.accepted[-1] + memory.service[-1], now) if memory.accepted else 0,
            tuple(_left(clk, now) for clk in memory.returned[-p.memory_tail_entries :]),
            max(memory.returned[-1] - now, -LONGEST_SERVICE_CLK) if memory.returned else -LONGEST_SERVICE_CLK,
        ),
    )


def _left(clk: int, now: int) -> int:
    return 0 if clk <= now else UNKNOWN_CLK if clk >= UNKNOWN_CLK else clk - now


def _ago(clk: int, now: int) -> int:
    return max(clk - now, -SHORTEST_GAP_KEPT_CLK)


def _wave_state(wave: Wave, now: int) -> tuple[Any, ...]:
    if wave.finish_clk >= 0:
        return ("finished", _left(wave.finish_clk, now))
    chunk = wave.code[wave.row].first_chunk
    return (
        int(wave.trace.code[wave.row]),
        _left(wave.ready_clk, now),
        wave.stalled_for,
        now - wave.attempt[wave.row],
        tuple((reason, clk - now) for reason, clk in wave.stalls_of_row()),
        wave.priority,
        tuple((_left(access.ret, now), access.count) for access in wave.lgkm if access.ret > now),
        tuple((_left(access.ret, now), access.count) for access in wave.vm if access.ret > now),
        _left(wave.vm_return, now),
        _left(wave.vm_not_before, now),
        _ago(wave.last_valu, now),
        _ago(wave.last_valu_sgpr, now),
        _ago(wave.last_salu, now),
        tuple(
            sorted(
                (register, _ago(clk, now))
                for register, clk in wave.sgpr_written.items()
                if clk > now - SHORTEST_GAP_KEPT_CLK
            )
        ),
        -1 if wave.arrival_clk < 0 else now - wave.arrival_clk,
        -1 if wave.release_clk < 0 else wave.release_clk - now,
        tuple(sorted((key - chunk, _left(clk, now)) for key, clk in wave.chunk_ready.items())),
        tuple(sorted((key - chunk, _left(clk, now)) for key, clk in wave.branch_chunks.items())),
    )
