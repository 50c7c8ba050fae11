"""A run of one wave at the global-memory port is not broken."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_round_robin",
    section=11,
    off="the lowest asking SIMD wins: no runs, no order",
    evidence="evidence/memory.md#port",
    in_engine=True,
)
