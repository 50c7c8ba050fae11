"""Measured traces cut short: to their first instructions, or to where a trace that broke off is whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wavesim.replays.att.imported import ImportedTrace, ImportedUnit
from wavesim.trace import BusySpan, Kind, Timeline, Trace, WaveTimeline, WaveTrace

FAR_CLK = 1 << 62


def clipped(imported: ImportedTrace, most_rows: int) -> ImportedTrace:
    """Every compute unit cut to about its first ``most_rows`` instructions; shorter ones as they are."""
    return replace(imported, units=tuple(_unit(unit, most_rows) for unit in imported.units))


def _unit(unit: ImportedUnit, most_rows: int) -> ImportedUnit:
    trace, timeline = unit.trace, unit.timeline
    if trace.instruction_count <= most_rows:
        return unit
    until = int(np.sort(np.concatenate([wave.issue_clk for wave in timeline.waves]))[most_rows])
    short = cut(timeline, _lengths(trace, timeline.waves, until))
    return replace(unit, trace=short.trace, timeline=short)


def cut(timeline: Timeline, lengths: list[int]) -> Timeline:
    """The timeline, and its trace, with only the first ``lengths`` rows of each wave."""
    trace = timeline.trace
    waves = tuple(_records(wave, length) for wave, length in zip(trace.waves, lengths, strict=True))
    timed = tuple(_clocks(wave, length) for wave, length in zip(timeline.waves, lengths, strict=True))
    busy = {name: _spans(span, lengths) for name, span in timeline.busy.items()}
    total = max(wave.last_clk for wave in timed)
    return replace(timeline, trace=replace(trace, waves=waves), waves=timed, clk_total=total, busy=busy)


def without_lonely_barriers(timeline: Timeline) -> Timeline:
    """A trace that broke off, cut where its waves still wait for each other.

    A wave without its s_endpgm passes fewer barriers than its workgroup if the trace ended in between: in a
    replay the others would wait for ever. Such workgroups stop after the last barrier that all passed.
    """
    trace = timeline.trace
    ends = {entry for entry, code in enumerate(trace.code) if code.kind is Kind.ENDPGM}
    if all(int(wave.code[-1]) in ends for wave in trace.waves):
        return timeline
    barrier = np.array([entry.kind is Kind.BARRIER for entry in trace.code], np.bool_)
    counts: dict[int, set[int]] = {}
    for wave in trace.waves:
        counts.setdefault(wave.workgroup, set()).add(int(barrier[wave.code].sum()))
    if all(len(each) == 1 for each in counts.values()):
        return timeline
    lengths = _lengths(trace, timeline.waves, FAR_CLK)
    return cut(
        timeline,
        [
            length if len(counts[wave.workgroup]) > 1 else len(wave)
            for wave, length in zip(trace.waves, lengths, strict=True)
        ],
    )


def _lengths(trace: Trace, timed: tuple[WaveTimeline, ...], until: int) -> list[int]:
    """Rows to keep of each wave: a workgroup's waves stop after the same barrier, if they have any."""
    barrier = np.array([entry.kind is Kind.BARRIER for entry in trace.code], np.bool_)
    before = [int(np.searchsorted(wave.issue_clk, until)) for wave in timed]
    passed = [
        np.flatnonzero(barrier[wave.code[:length]]) for wave, length in zip(trace.waves, before, strict=True)
    ]
    common: dict[int, int] = {}
    for wave, rows in zip(trace.waves, passed, strict=True):
        common[wave.workgroup] = min(common.get(wave.workgroup, len(rows)), len(rows))
    lengths = []
    for wave, length, rows in zip(trace.waves, before, passed, strict=True):
        last = common[wave.workgroup]
        has_barriers = bool(barrier[wave.code].any())
        kept = length if not has_barriers else int(rows[last - 1]) + 1 if last else 0
        lengths.append(max(1, min(kept, len(wave))))
    return lengths


def _records(wave: WaveTrace, length: int) -> WaveTrace:
    cut = slice(0, length)
    return replace(
        wave,
        code=wave.code[cut],
        array_clk=wave.array_clk[cut],
        memory_bytes=wave.memory_bytes[cut],
        taken=wave.taken[cut],
        memory_latency_clk=wave.memory_latency_clk[cut],
        line_offsets=wave.line_offsets[: length + 1],
        spins=tuple(spin for spin in wave.spins if spin.last < length),
    )


def _clocks(wave: WaveTimeline, length: int) -> WaveTimeline:
    kept = wave.stall_row < length
    return replace(
        wave,
        last_clk=int(wave.end_clk[length - 1]),
        attempt_clk=wave.attempt_clk[:length],
        issue_clk=wave.issue_clk[:length],
        end_clk=wave.end_clk[:length],
        done_clk=wave.done_clk[:length],
        stall_row=wave.stall_row[kept],
        stall_reason=wave.stall_reason[kept],
        stall_clk=wave.stall_clk[kept],
        spin_repeats=(),
    )


def _spans(span: BusySpan, lengths: list[int]) -> BusySpan:
    kept = span.row < np.array(lengths)[span.wave]
    return BusySpan(span.start_clk[kept], span.end_clk[kept], span.wave[kept], span.row[kept])
