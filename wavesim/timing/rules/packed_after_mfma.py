"""Packed f32 arithmetic does not issue until some clocks after its SIMD's matrix pipe came free."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="packed_after_mfma",
    section=9,
    off="`issue.packed_after_mfma_clk` is 0: packed f32 goes as other VALU",
    evidence="evidence/gfx950.md#packed-f32-b2",
    parameters={"issue_packed_after_mfma_clk": 0},
)
