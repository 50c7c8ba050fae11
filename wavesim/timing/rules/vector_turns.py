"""When VALU and MFMA of the compute unit have paused, they start again one SIMD at a time."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vector_turns",
    section=9,
    off="turns are never called",
    evidence="evidence/gfx950.md#vector-turns",
    parameters={"issue_turns_clk": 0},
)
