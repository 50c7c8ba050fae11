"""Dependency gaps (docs/model §4): how far an instruction keeps from earlier ones of its wave."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Category, CodeEntry, Kind
from wavesim.trace.code import SGPR_EXEC

LONG_AGO = -(1 << 60)
Seen = tuple[int, int]
"""(issue clock, row)."""
NEVER_SEEN: Seen = (LONG_AGO, -1)


class Gaps:
    """The latest instructions of each kind that later ones must keep away from."""

    def __init__(self, p: TimingParameters) -> None:
        self.p = p
        self.valu = self.valu_with_sgpr = self.salu = NEVER_SEEN
        self.sgpr_writer: dict[int, Seen] = {}

    def issued(self, entry: CodeEntry, row: int, now: int) -> None:
        """An instruction of the wave issues."""
        if entry.category is Category.VALU:
            self.valu = now, row
            if entry.writes_sgpr:
                self.valu_with_sgpr = now, row
        elif entry.kind is Kind.SALU:
            self.salu = now, row
            self.sgpr_writer.update(dict.fromkeys(entry.sgpr_writes, (now, row)))

    def open_clk(self, entry: CodeEntry) -> Seen:
        """When the instruction is far enough from all of them, and the row that holds it up longest."""
        p = self.p
        after: list[tuple[Seen, int]] = []
        if entry.category in (Category.LDS, Category.VMEM):
            after.append((self.valu, p.gap_valu_to_memory_clk))
        if entry.category in (Category.SCALAR, Category.BRANCH):
            after.append((self.valu_with_sgpr, p.gap_valu_sgpr_to_scalar_clk))
        if entry.kind is Kind.COND_BRANCH:
            after.append((self.salu, p.gap_salu_to_cbranch_clk))
        if entry.category is Category.VMEM:
            writers = [self.sgpr_writer.get(each, NEVER_SEEN) for each in entry.sgpr_reads | {SGPR_EXEC}]
            after += [(writer, p.gap_salu_to_vmem_clk) for writer in writers]
        ends = [(issue_clk + gap_clk, row) for (issue_clk, row), gap_clk in after]
        return max(ends, default=NEVER_SEEN)
