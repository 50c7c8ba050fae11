"""SIMDs take turns at the global-memory port; a run of one wave is not broken."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_round_robin",
    section=11,
    off="the lowest asking SIMD wins: no runs, no turns, no rule for an idle port",
    evidence="M1",
    in_engine=True,
)
