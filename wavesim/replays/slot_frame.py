"""Clocks of a thread trace in one frame of slots.

SIMD s has its issue slots at clocks that are s modulo 4. A trace rounds its clocks down to multiples of 4 of
a counter that need not begin a slot with SIMD 0. Where the model has one slot of four SIMDs, a trace may cut
it: SIMDs below the *cut* then bear clocks that are 4 too small beside the others.

Three things tell the cut. A pair's LDS port and the compute unit's global-memory port grant one instruction
in a slot, so with the right cut no two fall together. And a barrier lets the waves go in the order of the
SIMDs. The cut may change within a trace, so it is looked for piece by piece
(docs/evidence/barrier.md, "Frame of slots").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules.barrier_phase import place
from wavesim.trace import Category, Kind, Timeline, Trace, WaveTimeline

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

CHANGE_COST = 8
"""So many signs against a cut are needed before it is believed to change: clocks jitter by a slot."""
MOST_TOLD = 3
"""Pieces of a trace that are named one by one."""


def in_one_frame(timeline: Timeline, p: TimingParameters) -> Timeline:
    """A measured timeline of one compute unit, and its trace, with clocks in the model's frame of slots.

    A note says what was done. Figures of the trace itself belong to the clocks as they were.

    Args:
        timeline: as measured.
        p: the slot, the SIMDs, which of them share an LDS port, and a barrier's release.
    """
    begin_clk, cuts = find_cuts(timeline, p)
    if not cuts.any():
        return timeline
    waves, traces = [], []
    for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
        cut = cuts[np.maximum(np.searchsorted(begin_clk, wave.attempt_clk, side="right") - 1, 0)]
        waves.append(_later(wave, np.where(wave.simd < cut, p.issue_slot_clk, 0), p.issue_slot_clk))
        traces.append(replace(trace, start_clk=waves[-1].first_clk))
    pieces = [f"behind SIMD {cut - 1}" if cut else "before SIMD 0" for cut in cuts[:MOST_TOLD].tolist()]
    more = f", and {len(cuts) - MOST_TOLD} times more" if len(cuts) > MOST_TOLD else ""
    told = f"the trace cuts its clock into slots {', then '.join(pieces)}{more}: compared in one frame"
    return replace(
        timeline,
        trace=replace(timeline.trace, waves=tuple(traces)),
        waves=tuple(waves),
        clk_total=max(wave.last_clk for wave in waves),
        notes=(*timeline.notes, told),
    )


def _later(wave: WaveTimeline, by_clk: Int64, slot_clk: int) -> WaveTimeline:
    """A wave, its rows later by so much. Where the cut changes, an end does not pass the next attempt."""
    if not by_clk.any():
        return wave
    attempt, end = wave.attempt_clk + by_clk, wave.end_clk + by_clk
    end[:-1] = np.minimum(end[:-1], attempt[1:])
    return replace(
        wave,
        first_clk=wave.first_clk + int(by_clk[0]),
        last_clk=int(end[-1]),
        attempt_clk=attempt,
        issue_clk=np.maximum(np.minimum(wave.issue_clk + by_clk, end - slot_clk), attempt),
        end_clk=end,
        done_clk=wave.done_clk + by_clk,
    )


def find_cuts(timeline: Timeline, p: TimingParameters) -> tuple[Int64, Int64]:
    """(begin_clk, cut) of the pieces of a trace, in order of time; at least one."""
    clk, against = _signs(timeline, p)
    if not len(clk):
        return np.zeros(1, np.int64), np.zeros(1, np.int64)
    cuts = np.arange(p.structure_simds)
    cost = np.zeros(p.structure_simds, np.int64)
    came_from = np.zeros((len(clk), p.structure_simds), np.int64)
    for number, here in enumerate(against):  # the cheapest way to have each cut at this sign
        best = int(cost.argmin())
        came_from[number] = np.where(cost > cost[best] + CHANGE_COST, best, cuts)
        cost = np.minimum(cost, cost[best] + CHANGE_COST) + here
    way = np.full(len(clk), int(cost.argmin()), np.int64)
    for number in range(len(clk) - 1, 0, -1):
        way[number - 1] = came_from[number, way[number]]
    begins = np.flatnonzero(np.diff(way, prepend=-1))
    return clk[begins], way[begins]


def _signs(timeline: Timeline, p: TimingParameters) -> tuple[Int64, Bool]:
    """Clocks of what tells cuts apart, in order, and of each the cuts that it speaks against [n, cut]."""
    clocks, against = [np.zeros(0, np.int64)], [np.zeros((0, p.structure_simds), np.bool_)]
    for found in (_fall_together(timeline, p), _releases(timeline, p)):
        for clk, cuts in found:
            clocks.append(np.atleast_1d(clk))
            against.append(np.repeat(cuts[None], clocks[-1].size, axis=0))
    clk = np.concatenate(clocks)
    order = np.argsort(clk, kind="stable")
    return clk[order], np.concatenate(against)[order]


def _fall_together(timeline: Timeline, p: TimingParameters) -> Iterator[tuple[Int64, Bool]]:
    """Clocks at which a port granted two SIMDs in a slot, if the cut is one of those given."""
    cut = np.arange(p.structure_simds)
    every = [(one, other) for other in range(p.structure_simds) for one in range(other)]
    pairs = [(min(pair), max(pair)) for pair in p.structure_simd_pairs if len(pair) == 2]
    for category, sharing in ((Category.LDS, pairs), (Category.VMEM, every)):
        of_category = np.array([entry.category is category for entry in timeline.trace.code], np.bool_)
        issues: dict[int, list[Int64]] = {simd: [np.zeros(0, np.int64)] for simd in range(p.structure_simds)}
        for wave, trace in zip(timeline.waves, timeline.trace.waves, strict=True):
            issues[wave.simd].append(wave.issue_clk[of_category[trace.code]])
        clk = {simd: np.concatenate(parts) for simd, parts in issues.items()}
        for one, other in sharing:
            between = (one < cut) & (cut <= other)
            yield np.intersect1d(clk[one], clk[other]), ~between
            yield np.intersect1d(clk[one] + p.issue_slot_clk, clk[other]), between


def _releases(timeline: Timeline, p: TimingParameters) -> Iterator[tuple[Int64, Bool]]:
    """Clocks of barriers, each with the cuts with which its waves do not leave in order."""
    for waves in _workgroups(timeline.trace):
        simds = np.array([timeline.waves[position].simd for position, _ in waves])
        arrived = np.array([timeline.waves[position].attempt_clk[rows] for position, rows in waves])
        left = np.array([timeline.waves[position].end_clk[rows] for position, rows in waves])
        at = np.array([place(p, simd) for simd in simds.tolist()])
        against = np.zeros((arrived.shape[1], p.structure_simds), np.bool_)
        for cut in range(p.structure_simds):
            later = np.where(simds < cut, p.issue_slot_clk, 0)[:, None]
            last = ((arrived + later) * len(at) + at[:, None]).max(axis=0)
            last_clk, last_place = last // len(at), last % len(at)
            for wave_left, here in zip(left + later, at.tolist(), strict=True):
                early = here > last_place
                clk = np.where(early, p.barrier_release_early_clk, p.barrier_release_late_clk)
                against[:, cut] |= wave_left != last_clk + clk
        tells = ~against.all(axis=1)
        yield from zip(arrived.max(axis=0)[tells], against[tells], strict=True)


def _workgroups(trace: Trace) -> Iterator[list[tuple[int, Int64]]]:
    """Waves of one workgroup on several SIMDs and the rows of their barriers, of which each has as many."""
    is_barrier = np.array([entry.kind is Kind.BARRIER for entry in trace.code], np.bool_)
    members: dict[int, list[tuple[int, Int64]]] = {}
    for position, wave in enumerate(trace.waves):
        rows = np.flatnonzero(is_barrier[wave.code])
        members.setdefault(wave.workgroup, []).append((position, rows))
    for waves in members.values():
        counts = {len(rows) for _, rows in waves}
        if (
            len({trace.waves[position].simd for position, _ in waves}) > 1
            and len(counts) == 1
            and counts != {0}
        ):
            yield waves
