"""Dependency gaps (docs/model §4): how far an instruction keeps from earlier ones of its wave."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.gap import Gap
from wavesim.timing.rules import gaps
from wavesim.trace import CodeEntry

LONG_AGO = -(1 << 60)
Seen = tuple[int, int]
"""(issue clock, row)."""
NEVER_SEEN: Seen = (LONG_AGO, -1)


class Gaps:
    """The latest instructions of a wave that later ones must keep away from."""

    def __init__(self, p: TimingParameters) -> None:
        self.p = p
        self.gaps = gaps()
        self.seen: dict[tuple[Gap, int], Seen] = {}

    def issued(self, entry: CodeEntry, row: int, now: int) -> None:
        """An instruction of the wave issues."""
        for gap in self.gaps:
            for each in gap.given(entry):
                self.seen[gap, each] = now, row

    def open_clk(self, entry: CodeEntry) -> Seen:
        """When the instruction is far enough from all of them, and the row that holds it up longest."""
        ends = [NEVER_SEEN]
        for gap in self.gaps:
            for each in gap.taken(entry):
                issue_clk, row = self.seen.get((gap, each), NEVER_SEEN)
                ends.append((issue_clk + getattr(self.p, gap.clk), row))
        return max(ends)
