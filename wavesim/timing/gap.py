"""A gap: an instruction keeps some clocks from earlier ones of its wave, issue to issue."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.trace import CodeEntry, Kind
from wavesim.trace.code import SGPR_EXEC

ANY = frozenset({-1})
"""What an earlier instruction gives, and a later one takes, where no register matters."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A ``later`` instruction issues not before the last ``earlier`` one of its wave + ``clk``.

    Attributes:
        clk: the field of :class:`TimingParameters` that has the clocks.
        later, earlier: kinds of instruction.
        writes_sgpr: only earlier ones that write an SGPR or VCC count.
        by_register: only earlier ones that wrote an SGPR, EXEC or M0 that the later one reads.
    """

    clk: str
    later: frozenset[Kind]
    earlier: frozenset[Kind]
    writes_sgpr: bool = False
    by_register: bool = False

    def given(self, entry: CodeEntry) -> frozenset[int]:
        """What ``entry`` gives as the earlier instruction; nothing if it is none."""
        if entry.kind not in self.earlier or (self.writes_sgpr and not entry.writes_sgpr):
            return frozenset()
        return entry.sgpr_writes if self.by_register else ANY

    def taken(self, entry: CodeEntry) -> frozenset[int]:
        """What ``entry`` takes as the later instruction; nothing if it is none."""
        if entry.kind not in self.later:
            return frozenset()
        return entry.sgpr_reads | {SGPR_EXEC} if self.by_register else ANY
