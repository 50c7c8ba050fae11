"""Lines: each wave group's clocks per iteration by program line, from the stall tiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wavesim.analyze.result import Analysis
from wavesim.analyze.stalls import issued_rows
from wavesim.errors import SourceSpan
from wavesim.explanation.main_loop import Steady
from wavesim.isa.kinds import IDLE_KINDS
from wavesim.trace import REASON_NAMES, Reason, Timeline

SLOT_CLK = 4


@dataclass(frozen=True, slots=True)
class LineTime:
    """One line's clocks per iteration and wave (of the whole run without a loop): ``clk`` from the end of
    the instruction before to its own end, over all its instructions; ``by_reason`` adds up to it."""

    span: SourceSpan | None
    opcode: str
    instructions: int
    clk: float
    by_reason: Mapping[str, float]


def lines_of(timeline: Timeline, analysis: Analysis, steady: Steady) -> tuple[tuple[LineTime, ...], ...]:
    """Per wave group of the analysis: the lines, in program order; their clocks add up to the iteration."""
    return tuple(_group(timeline, group.waves, steady) for group in analysis.groups)


def _group(timeline: Timeline, positions: tuple[int, ...], steady: Steady) -> tuple[LineTime, ...]:
    trace = timeline.trace
    keys: dict[object, int] = {}
    key_of = np.zeros(len(trace.code), np.int64)
    for index, entry in enumerate(trace.code):
        span = entry.instruction.span
        key = (span.file, span.line) if span is not None and span.line else index
        key_of[index] = keys.setdefault(key, len(keys))
    clocks = np.zeros((len(keys), len(Reason)), np.float64)
    share = 0
    static: dict[int, set[int]] = {}
    nop = np.array([entry.kind in IDLE_KINDS for entry in trace.code], bool)
    for position in positions:
        wave = timeline.waves[position]
        first, last, iterations = 0, issued_rows(wave), 1
        run = steady.runs[position] if steady.window is not None else None
        if steady.window is not None:
            if run is None or len(run.head_rows) <= steady.window.last:
                continue
            first, last = int(run.head_rows[steady.window.first]), int(run.head_rows[steady.window.last])
            iterations = steady.window.last - steady.window.first
        share += iterations
        code = trace.waves[position].code[first:last].astype(np.int64)
        line = key_of[code]
        held = wave.end_clk[first:last] - wave.issue_clk[first:last]
        slot = np.minimum(held, SLOT_CLK)
        np.add.at(clocks[:, Reason.ISSUE], line, slot)
        np.add.at(clocks[:, Reason.NOP], line[nop[code]], (held - slot)[nop[code]])
        np.add.at(clocks[:, Reason.HOLD], line[~nop[code]], (held - slot)[~nop[code]])
        low, high = np.searchsorted(wave.stall_row, (first, last))
        rows = wave.stall_row[low:high]
        stalled = key_of[trace.waves[position].code[rows].astype(np.int64)]
        np.add.at(clocks, (stalled, wave.stall_reason[low:high].astype(np.int64)), wave.stall_clk[low:high])
        for index in np.unique(code).tolist():
            static.setdefault(int(key_of[index]), set()).add(index)
    found = []
    for number in sorted(static, key=lambda each: min(static[each])):
        entry = trace.code[min(static[number])]
        by_reason = {
            REASON_NAMES[reason]: float(clocks[number, reason]) / max(1, share)
            for reason in Reason
            if clocks[number, reason]
        }
        found.append(
            LineTime(
                entry.instruction.span,
                _opcodes(timeline, static[number]),
                len(static[number]),
                sum(by_reason.values()),
                by_reason,
            )
        )
    return tuple(found)


def _opcodes(timeline: Timeline, indices: set[int]) -> str:
    """The opcode of a line; of several the one there is most of."""
    names = [timeline.trace.code[index].instruction.opcode for index in sorted(indices)]
    return max(dict.fromkeys(names), key=names.count)
