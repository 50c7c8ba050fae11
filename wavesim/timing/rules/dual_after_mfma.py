"""No two VALU instructions issue in a slot until some clocks after the SIMD's matrix pipe came free."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="dual_after_mfma",
    section=9,
    off="`issue.dual_after_mfma_clk` is far below 0",
    evidence="evidence/gfx950.md#two-valu-in-a-slot",
    parameters={"issue_dual_after_mfma_clk": -UNLIMITED},
)
