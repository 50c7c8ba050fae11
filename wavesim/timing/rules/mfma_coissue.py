"""An MFMA keeps vector and memory instructions of its SIMD out for some clocks."""

from __future__ import annotations

from collections.abc import Mapping

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule, every
from wavesim.trace import Category, CodeEntry

RULE = Rule(
    name="mfma_coissue",
    section=5,
    off="both tables are 0",
    evidence="evidence/mfma.md#what-an-mfma-keeps-out",
    parameters={name: every(name, 0) for name in ("mfma_blocks_valu_clk", "mfma_blocks_memory_clk")},
)


def _table(p: TimingParameters, other: Category) -> Mapping[int, int]:
    """By VGPRs of the larger of an MFMA's A and B: for how long it keeps ``other`` out; empty: not at all."""
    if other is Category.VALU:
        return p.mfma_blocks_valu_clk
    return p.mfma_blocks_memory_clk if other in (Category.LDS, Category.VMEM) else {}


def blocked_clk(p: TimingParameters, mfma: CodeEntry, other: Category) -> int:
    """For how long an MFMA keeps instructions of another category out of its SIMD."""
    table = _table(p, other)
    return p.write_clk(table, mfma.mfma_source_vgprs) if table else 0
