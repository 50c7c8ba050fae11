"""Data that global memory brings to LDS takes the bank array when it arrives."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_from_memory",
    section=6,
    off="data from memory takes no time of the array",
    evidence="evidence/lds.md#gfx950-loads-to-lds",
    parameters={"lds_from_memory_bytes_per_clk": 0},
)


def array_clk(p: TimingParameters, moved_bytes: int) -> int:
    """Clocks of the bank array that data from memory takes."""
    return -(-moved_bytes // p.lds_from_memory_bytes_per_clk) if p.lds_from_memory_bytes_per_clk else 0
