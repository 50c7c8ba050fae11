"""On gfx950 two VALU instructions of different waves issue in one slot of a SIMD."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="dual_valu",
    section=9,
    off="`issue.valu_per_slot` is 1",
    evidence="evidence/gfx950.md#two-valu-in-a-slot",
    parameters={"issue_valu_per_slot": 1},
)
