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

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.folder import CLOCK, CODE_ID, DURATION, STALL, RawWave
from wavesim.timing.rules.barrier_phase import place
from wavesim.trace import Category, CodeEntry, Kind

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Groups = tuple[tuple[RawWave, ...], ...]

CHANGE_COST = 8
"""So many signs against a cut are needed before it is believed to change: clocks jitter by a slot."""
MOST_TOLD = 3
"""Pieces of a trace that are named one by one."""


def in_one_frame(
    groups: Groups, index: npt.NDArray[np.integer], code: Sequence[CodeEntry], p: TimingParameters
) -> tuple[Groups, tuple[str, ...]]:
    """The workgroups of one compute unit with clocks in the model's frame of slots, and what was done.

    Args:
        groups: the waves of each, as read.
        index: by code id, the place in ``code``; negative: none.
        code: the listing's instructions.
        p: the slot, the SIMDs, which of them share an LDS port, and a barrier's release.
    """
    begin_clk, cuts = find_cuts(groups, index, code, p)
    if not cuts.any():
        return groups, ()

    def moved(wave: RawWave) -> RawWave:
        rows = wave.rows.copy()
        piece = np.searchsorted(begin_clk, rows[:, CLOCK], side="right") - 1
        rows[:, CLOCK] += np.where(wave.simd < cuts[np.maximum(piece, 0)], p.issue_slot_clk, 0)
        return replace(wave, rows=rows)

    pieces = [f"behind SIMD {cut - 1}" if cut else "before SIMD 0" for cut in cuts[:MOST_TOLD].tolist()]
    more = f", and {len(cuts) - MOST_TOLD} times more" if len(cuts) > MOST_TOLD else ""
    told = (
        f"the trace cuts its clock into slots {', then '.join(pieces)}{more}: clocks are moved into one frame"
    )
    return tuple(tuple(map(moved, group)) for group in groups), (told,)


def find_cuts(
    groups: Groups, index: npt.NDArray[np.integer], code: Sequence[CodeEntry], p: TimingParameters
) -> tuple[Int64, Int64]:
    """(begin_clk, cut) of the pieces of a trace, in order of time; at least one."""
    clk, against = _signs(groups, index, code, p)
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


def _signs(
    groups: Groups, index: npt.NDArray[np.integer], code: Sequence[CodeEntry], p: TimingParameters
) -> tuple[Int64, Bool]:
    """Clocks of what tells cuts apart, in order, and of each the cuts that it speaks against [n, cut]."""
    clocks, against = [np.zeros(0, np.int64)], [np.zeros((0, p.structure_simds), np.bool_)]
    for found in (_fall_together(groups, index, code, p), _releases(groups, index, code, p)):
        for clk, cuts in found:
            clocks.append(np.atleast_1d(clk))
            against.append(np.repeat(cuts[None], clocks[-1].size, axis=0))
    clk = np.concatenate(clocks)
    order = np.argsort(clk, kind="stable")
    return clk[order], np.concatenate(against)[order]


def _fall_together(
    groups: Groups, index: npt.NDArray[np.integer], code: Sequence[CodeEntry], p: TimingParameters
) -> Iterator[tuple[Int64, Bool]]:
    """Clocks at which a port granted two SIMDs in a slot, if the cut is one of those given."""
    cut = np.arange(p.structure_simds)
    every = [(one, other) for other in range(p.structure_simds) for one in range(other)]
    pairs = [(min(pair), max(pair)) for pair in p.structure_simd_pairs if len(pair) == 2]
    for category, sharing in ((Category.LDS, pairs), (Category.VMEM, every)):
        of_category = np.array([entry.category is category for entry in code], np.bool_)
        issues: dict[int, list[Int64]] = {simd: [np.zeros(0, np.int64)] for simd in range(p.structure_simds)}
        for wave in (wave for group in groups for wave in group):
            rows = wave.rows[of_category[index[wave.rows[:, CODE_ID]]]]
            issues[wave.simd].append(rows[:, CLOCK] + rows[:, STALL])
        clk = {simd: np.concatenate(parts) for simd, parts in issues.items()}
        for one, other in sharing:
            between = (one < cut) & (cut <= other)
            yield np.intersect1d(clk[one], clk[other]), ~between
            yield np.intersect1d(clk[one] + p.issue_slot_clk, clk[other]), between


def _releases(
    groups: Groups, index: npt.NDArray[np.integer], code: Sequence[CodeEntry], p: TimingParameters
) -> Iterator[tuple[Int64, Bool]]:
    """Clocks of barriers, each with the cuts with which its waves do not leave in order."""
    is_barrier = np.array([entry.kind is Kind.BARRIER for entry in code], np.bool_)
    for group in groups:
        simds = [wave.simd for wave in group]
        rows = [wave.rows[is_barrier[index[wave.rows[:, CODE_ID]]]] for wave in group]
        common = min(map(len, rows))
        if len(set(simds)) < 2 or not common or any(len(each) != common for each in rows):
            continue
        arrived = np.array([each[:, CLOCK] for each in rows])
        left = arrived + np.array([each[:, DURATION] for each in rows])
        at = np.array([place(p, simd) for simd in simds])
        against = np.zeros((common, p.structure_simds), np.bool_)
        for cut in range(p.structure_simds):
            later = np.where(np.array(simds) < cut, p.issue_slot_clk, 0)[:, None]
            last = ((arrived + later) * len(at) + at[:, None]).max(axis=0)
            last_clk, last_place = last // len(at), last % len(at)
            for wave_left, here in zip(left + later, at.tolist(), strict=True):
                early = here > last_place
                clk = np.where(early, p.barrier_release_early_clk, p.barrier_release_late_clk)
                against[:, cut] |= wave_left != last_clk + clk
        tells = ~against.all(axis=1)
        for clk, cuts in zip(arrived.max(axis=0)[tells], against[tells], strict=True):
            yield clk, cuts
