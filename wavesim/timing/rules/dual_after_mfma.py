"""No two VALU instructions issue in a slot until some clocks after the SIMD's matrix pipe came free."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="dual_after_mfma",
    section=9,
    off="two VALU may issue at any time after an MFMA",
    evidence="gfx950 traces",
    parameters={"issue_dual_after_mfma_clk": -UNLIMITED},
)
