"""SIMDs take turns at the global-memory port; a run of one wave is not broken."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_round_robin",
    section=11,
    off="the lowest asking SIMD wins: no runs, no cycle, no idle rule",
    evidence="evidence/memory.md#port",
    in_engine=True,
)
