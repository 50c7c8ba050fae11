"""The two SIMDs of a pair take turns at their LDS port."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_alternation",
    section=11,
    off="the lowest asking SIMD of a pair wins",
    evidence="evidence/lds.md#turns",
    in_engine=True,
)
