"""The global-memory port takes the SIMD that has asked longest."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_first_come",
    section=11,
    off="of SIMDs that ask the next one in cyclic order goes, at the beginning 0",
    evidence="evidence/memory.md#port",
    in_engine=True,
)
