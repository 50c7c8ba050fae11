"""Dependency gaps: an instruction keeps some clocks from earlier ones of its wave, issue to issue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from wavesim.isa.kinds import BRANCH_KINDS, MEMORY_KINDS, VALU_KINDS, VMEM_KINDS
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.gap import Gap
from wavesim.timing.rule import Rule
from wavesim.timing.rules import gaps
from wavesim.trace import CodeEntry, Kind, Reason

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SCALAR_KINDS = frozenset({Kind.SALU, Kind.SMEM, *BRANCH_KINDS})

RULE = Rule(
    name="dependency_gaps",
    section=4,
    off="all four gaps are 0",
    evidence="evidence/dependency-gaps.md",
    reasons=(Reason.DEPENDENCY,),
    gaps=(
        Gap("gap_valu_to_memory_clk", later=MEMORY_KINDS, earlier=VALU_KINDS),
        Gap("gap_valu_sgpr_to_scalar_clk", later=SCALAR_KINDS, earlier=VALU_KINDS, writes_sgpr=True),
        Gap("gap_salu_to_cbranch_clk", later=frozenset({Kind.COND_BRANCH}), earlier=frozenset({Kind.SALU})),
        Gap("gap_salu_to_vmem_clk", later=VMEM_KINDS, earlier=frozenset({Kind.SALU}), by_register=True),
    ),
)


class StreamGaps:
    """The gaps between rows of executed streams of ``code``, for many rows at once."""

    def __init__(self, code: Sequence[CodeEntry], p: TimingParameters) -> None:
        self.ends: list[tuple[Bool, Bool, int]] = []  # which instructions give, which take, clocks
        for gap in gaps():
            given = [gap.given(entry) for entry in code]
            taken = [gap.taken(entry) for entry in code]
            for each in sorted(frozenset().union(*given) & frozenset().union(*taken)):
                gives = np.array([each in what for what in given], np.bool_)
                takes = np.array([each in what for what in taken], np.bool_)
                self.ends.append((gives, takes, int(getattr(p, gap.clk))))

    def rows(self, executed: npt.NDArray[np.integer]) -> Iterator[tuple[Int64, Int64, int]]:
        """Which rows keep away from which earlier ones, and by how many clocks.

        Args:
            executed: indices into the code, a row each, in the order in which a wave executes them.

        Yields:
            Rows, for each the earlier row, and the clocks. Several gaps may hold back the same row.
        """
        for gives, takes, clk in self.ends:
            last = np.maximum.accumulate(np.where(gives[executed], np.arange(len(executed)), -1))
            rows = np.flatnonzero(takes[executed[1:]] & (last[:-1] >= 0)) + 1
            yield rows, last[rows - 1], clk

    def earliest_clk(self, executed: npt.NDArray[np.integer], issue_clk: Int64) -> Int64:
        """The clock before which the gaps let each row not issue (0: no gap), by the issues before it."""
        earliest = np.zeros(len(executed), np.int64)
        for rows, earlier, clk in self.rows(executed):
            earliest[rows] = np.maximum(earliest[rows], issue_clk[earlier] + clk)
        return earliest
