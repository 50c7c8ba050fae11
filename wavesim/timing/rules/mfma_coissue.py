"""An MFMA keeps vector and memory instructions of its SIMD out for some clocks."""

from __future__ import annotations

from wavesim.timing.rule import Rule, every

RULE = Rule(
    name="mfma_coissue",
    section=5,
    off="both tables are 0",
    evidence="evidence/mfma.md#what-an-mfma-keeps-out",
    parameters={name: every(name, 0) for name in ("mfma_blocks_valu_clk", "mfma_blocks_memory_clk")},
)
