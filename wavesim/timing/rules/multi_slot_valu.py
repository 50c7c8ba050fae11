"""Permlane swaps and some 16-bit VALU hold their wave and the SIMD's VALU for two slots, on gfx950."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="multi_slot_valu",
    section=9,
    off="`issue.multi_slot_valu_clk` is 4",
    evidence="evidence/gfx950.md#eight-clock-valu-b3",
    parameters={"issue_multi_slot_valu_clk": 4},
)
