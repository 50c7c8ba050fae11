"""Of equal priorities the oldest wave ranks first."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="oldest_first",
    section=11,
    off="of equal priorities the youngest wave ranks first",
    evidence="evidence/barrier.md#arbitration",
    in_engine=True,
)
