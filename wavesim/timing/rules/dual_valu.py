"""On gfx950 two plain VALU instructions of different waves issue in one slot of a SIMD."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="dual_valu",
    section=9,
    off="one VALU instruction per SIMD and slot",
    evidence="FACTS",
    parameters={"issue_plain_valu_per_slot": 1},
)
