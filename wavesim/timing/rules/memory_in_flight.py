"""So many accesses are in flight beyond the queue: one is accepted when an earlier one returns."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="memory_in_flight",
    section=10,
    off="accesses are in flight without limit",
    evidence="evidence/memory.md#in-flight",
    parameters={"memory_tail_entries": UNLIMITED},
)
