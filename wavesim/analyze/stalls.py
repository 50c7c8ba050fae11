"""Stalls: every clock of every wave under one reason, in total, per iteration and as intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from wavesim.analyze.code_tables import CodeTables
from wavesim.analyze.intervals import Intervals, union
from wavesim.analyze.loops import WaveLoop
from wavesim.analyze.result import WaveGroup, WaveStalls
from wavesim.analyze.steady import Window
from wavesim.isa.kinds import IDLE_KINDS
from wavesim.trace import REASON_NAMES, Kind, Reason, Timeline, WaveTimeline

Int64 = npt.NDArray[np.int64]

UNATTRIBUTED = "unattributed"
"""Clocks of a measured wave that its trace does not explain; in a deadlock, those of polling for ever."""

SLOT_CLK = 4
GROUP_SHARE = 0.3
"""Waves of one code path are one group if their shares per reason differ by less than this in sum."""


def issued_rows(wave: WaveTimeline) -> int:
    """Rows that issued: all of a complete wave, the leading ones of one that got stuck."""
    stuck = np.flatnonzero(wave.issue_clk < 0)
    return int(stuck[0]) if len(stuck) else len(wave.issue_clk)


def wave_stalls(timeline: Timeline, position: int, tables: CodeTables) -> WaveStalls:
    """Clocks per reason of the wave at ``position``; they add up to the run's total."""
    wave = timeline.waves[position]
    rows = issued_rows(wave)
    clocks = _reason_clk(timeline, position, tables, slice(0, rows), np.ones(len(wave.stall_row), bool))
    clocks += _spun_clk(timeline, position, tables)
    clocks[Reason.NOT_STARTED] += wave.first_clk
    after_end = timeline.clk_total - wave.last_clk
    if not is_stuck(timeline, position):
        clocks[Reason.FINISHED] += after_end
    elif stuck_at_barrier(timeline, position):
        clocks[Reason.BARRIER] += after_end
    stalls = {REASON_NAMES[reason]: int(clocks[reason]) for reason in Reason}
    rest = timeline.clk_total - sum(stalls.values())
    if rest:
        stalls[UNATTRIBUTED] = rest
    return WaveStalls(
        wave=wave.wave,
        workgroup=wave.workgroup,
        simd=wave.simd,
        slot=wave.slot,
        first_clk=wave.first_clk,
        last_clk=wave.last_clk,
        clk=timeline.clk_total,
        instructions=rows,
        stalls=stalls,
    )


def is_stuck(timeline: Timeline, position: int) -> bool:
    """Whether the wave's stream stops before its s_endpgm (a deadlock)."""
    code = timeline.trace.waves[position].code
    if timeline.measured or (timeline.complete and timeline.trace.complete) or not len(code):
        return False
    return timeline.trace.code[int(code[-1])].kind is not Kind.ENDPGM


def stuck_at_barrier(timeline: Timeline, position: int) -> bool:
    """Whether a stuck wave's last or next instruction is a barrier."""
    entries = timeline.trace.code
    last = int(timeline.trace.waves[position].code[-1])
    return any(entry.kind is Kind.BARRIER for entry in entries[last : last + 2])


def _spun_clk(timeline: Timeline, position: int, tables: CodeTables) -> Int64:
    """Clocks in which repeated passes of polling loops issue: rows hold the final pass only."""
    wave, trace = timeline.waves[position], timeline.trace.waves[position]
    total = np.zeros(len(Reason), np.int64)
    for spin, repeats in zip(trace.spins, wave.spin_repeats, strict=False):
        none = np.zeros(len(wave.stall_row), bool)
        total += repeats * _reason_clk(timeline, position, tables, slice(spin.first, spin.last + 1), none)
    return total


def reason_clk(timeline: Timeline, position: int, tables: CodeTables, after: int, last: int) -> Int64:
    """Clocks per reason between the issues of rows ``after`` and ``last`` of one wave."""
    row = timeline.waves[position].stall_row
    return _reason_clk(timeline, position, tables, slice(after, last), (row > after) & (row <= last))


def _reason_clk(
    timeline: Timeline, position: int, tables: CodeTables, issuing: slice, stalled: npt.NDArray[np.bool_]
) -> Int64:
    """Clocks per reason of the issues of some rows and of some stalls."""
    wave = timeline.waves[position]
    clocks = np.bincount(
        wave.stall_reason[stalled].astype(np.int64), weights=wave.stall_clk[stalled], minlength=len(Reason)
    ).astype(np.int64)
    issue, end = wave.issue_clk[issuing], wave.end_clk[issuing]
    slot = np.minimum(SLOT_CLK, end - issue)
    rest = end - issue - slot
    sleeping = tables.is_kind(*IDLE_KINDS)[timeline.trace.waves[position].code[issuing]]
    clocks[Reason.ISSUE] += slot.sum()
    clocks[Reason.NOP] += rest[sleeping].sum()
    clocks[Reason.HOLD] += rest[~sleeping].sum()
    return clocks


def stall_intervals(wave: WaveTimeline, reason: Reason) -> Intervals:
    """When the wave waited for ``reason``, as clocks."""
    if not len(wave.stall_row):
        return union(np.zeros(0, np.int64), np.zeros(0, np.int64))
    start = stall_starts(wave)
    chosen = wave.stall_reason == int(reason)
    return union(start[chosen], start[chosen] + wave.stall_clk[chosen])


def stall_starts(wave: WaveTimeline) -> Int64:
    """The clock at which each stall begins: stalls of a row follow one another from the end of the
    row before."""
    if not len(wave.stall_row):
        return np.zeros(0, np.int64)
    previous_end = np.concatenate(([wave.first_clk], wave.end_clk[:-1]))
    clk = wave.stall_clk.astype(np.int64)
    before = np.cumsum(clk) - clk
    starts_row = np.concatenate(([True], wave.stall_row[1:] != wave.stall_row[:-1]))
    first_of_row = np.flatnonzero(starts_row)[np.cumsum(starts_row) - 1]
    return np.asarray(previous_end[wave.stall_row] + before - before[first_of_row], np.int64)


def group_waves(
    timeline: Timeline,
    stalls: Sequence[WaveStalls],
    runs: Sequence[WaveLoop | None],
    window: Window | None,
    tables: CodeTables,
    unroll: int,
) -> tuple[WaveGroup, ...]:
    """Waves with the same code path and alike stall shares, oldest wave first; a pass of their loop is
    ``unroll`` iterations."""
    members: list[tuple[bytes, npt.NDArray[np.float64], list[int]]] = []
    for position, wave in enumerate(stalls):
        path = timeline.trace.waves[position].code.tobytes()
        share = np.array([wave.stalls[REASON_NAMES[reason]] for reason in Reason if reason > Reason.FINISHED])
        share = share / max(1, wave.lifetime_clk)
        for known, centre, positions in members:
            if known == path and float(np.abs(centre - share).sum()) <= GROUP_SHARE:
                positions.append(position)
                break
        else:
            members.append((path, share, [position]))
    return tuple(
        _group(timeline, stalls, runs, window, tables, unroll, positions) for _, _, positions in members
    )


def _group(
    timeline: Timeline,
    stalls: Sequence[WaveStalls],
    runs: Sequence[WaveLoop | None],
    window: Window | None,
    tables: CodeTables,
    unroll: int,
    positions: list[int],
) -> WaveGroup:
    size = len(positions)
    names = sorted({name for position in positions for name in stalls[position].stalls})
    order = {name: index for index, name in enumerate([*REASON_NAMES.values(), UNATTRIBUTED])}
    names.sort(key=lambda name: order[name])
    mean = {
        name: sum(stalls[position].stalls.get(name, 0) for position in positions) / size for name in names
    }
    looping = [run for position in positions if (run := runs[position]) is not None]
    if window is None or not looping:
        return WaveGroup(tuple(positions), mean, None, None)
    total = np.zeros(len(Reason), np.int64)
    clk = 0
    for run in looping:
        first, last = int(run.head_rows[window.first]), int(run.head_rows[window.last])
        total += reason_clk(timeline, run.wave, tables, first, last)
        issue = timeline.waves[run.wave].issue_clk
        clk += int(issue[last] - issue[first])
    share = unroll * (window.last - window.first) * len(looping)
    per_iteration: Mapping[str, float] = {
        **{REASON_NAMES[reason]: float(total[reason]) / share for reason in Reason},
        **({UNATTRIBUTED: (clk - int(total.sum())) / share} if clk != int(total.sum()) else {}),
    }
    return WaveGroup(tuple(positions), mean, per_iteration, clk / share)
