"""The global-memory path takes time for the bytes of an access."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="memory_service",
    section=10,
    off="every access takes the path 1 clk",
    evidence="evidence/memory.md#service",
    parameters={
        "memory_min_service_clk": 0,
        "memory_bytes_per_clk": UNLIMITED,
        "memory_l1_hit_bytes_per_clk": UNLIMITED,
    },
)
