"""A SIMD issues one instruction of a category per slot."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="arbitration",
    section=11,
    off="waves of a SIMD do not take a category from each other in step 1, apart from MFMA, whose "
    "pipe is one; ports still grant one",
    evidence="evidence/facts.md#issue",
    in_engine=True,
)
