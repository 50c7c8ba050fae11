"""Data that global memory brings to LDS takes the bank array when it arrives."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_from_memory",
    section=6,
    off="data from memory takes no time of the array",
    evidence="evidence/lds.md#gfx950-loads-to-lds",
    parameters={"lds_from_memory_bytes_per_clk": 0},
)
