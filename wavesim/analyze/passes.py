"""Throughput of a loop: clocks of the compute unit per pass of all its waves, and their work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.analyze.intervals import Intervals, union
from wavesim.analyze.loops import FoundLoop, WaveLoop
from wavesim.trace import Timeline

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Passes:
    """The passes of one loop that are counted.

    Attributes:
        inside: the clocks in which some wave is in the loop: from a wave's first issue of the head to its
            last one, of each entry into the loop.
        spans: per wave of the loop the first and the end row of each entry's counted passes.
        made: passes that a wave of the loop made inside, the mean. The last pass of an entry counts where it
            ends while some wave is inside.
    """

    inside: Intervals
    spans: Mapping[int, tuple[Int64, Int64]]
    made: float

    @property
    def clk_per_pass(self) -> float:
        """Clocks of the compute unit per pass of all waves."""
        return self.inside.clk / self.made

    def rows(self, timeline: Timeline, position: int) -> Int64:
        """Rows of a wave that belong to the counted passes; of a wave without the loop, what it issued
        meanwhile."""
        if position in self.spans:
            first, stop = self.spans[position]
        else:
            issue = timeline.waves[position].issue_clk
            issue = issue[: int(np.argmax(issue < 0))] if (issue < 0).any() else issue
            first, stop = np.searchsorted(issue, self.inside.start), np.searchsorted(issue, self.inside.end)
        parts = [np.arange(start, end) for start, end in zip(first, stop, strict=True)]
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)


def find_passes(loop: FoundLoop, timeline: Timeline) -> Passes:
    """The passes that the waves made while any of them was in ``loop``."""
    entries = {run.wave: _entries(run) for run in loop.waves}
    issue = {wave: timeline.waves[wave].issue_clk for wave in entries}
    inside = union(
        np.concatenate([issue[wave][first] for wave, (first, _) in entries.items()]),
        np.concatenate([issue[wave][last] for wave, (_, last) in entries.items()]),
    )
    spans, made = {}, 0
    for run in loop.waves:
        first, last = entries[run.wave]
        stops = _stops(loop, timeline, run.wave, first, last, inside)
        made += int(run.joined.sum()) + int((stops > last).sum())
        spans[run.wave] = first, stops
    return Passes(inside, spans, made / len(loop.waves))


def _entries(run: WaveLoop) -> tuple[Int64, Int64]:
    """Rows of the first and of the last head of each entry into the loop."""
    left = np.flatnonzero(~run.joined)
    first = np.concatenate(([0], left + 1))
    last = np.concatenate((left, [len(run.head_rows) - 1]))
    return run.head_rows[first], run.head_rows[last]


def _stops(
    loop: FoundLoop, timeline: Timeline, position: int, first: Int64, last: Int64, inside: Intervals
) -> Int64:
    """Per entry the row up to which it counts: its last head, or the end of the pass that begins there if
    that pass came to a branch back, did not take it, and ended while some wave was inside."""
    code, issue = timeline.trace.waves[position].code, timeline.waves[position].issue_clk
    stops = last.copy()
    limits = np.append(first[1:], len(code))
    for entry, (head, limit) in enumerate(zip(last.tolist(), limits.tolist(), strict=True)):
        outside = (code[head:limit] < loop.head) | (code[head:limit] > loop.tail)
        stop = head + int(np.argmax(outside)) if outside.any() else limit
        if stop >= len(code) or int(code[stop - 1]) not in loop.closing or issue[stop] < 0:
            continue
        at = int(np.searchsorted(inside.start, issue[head], side="right")) - 1
        if at >= 0 and issue[stop] <= inside.end[at]:
            stops[entry] = stop
    return stops
