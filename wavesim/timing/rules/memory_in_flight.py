"""So many accesses are in flight beyond the queue: one is accepted when an earlier one returns."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="memory_in_flight",
    section=10,
    off="no limit in flight",
    evidence="M1",
    parameters={"memory_tail_entries": UNLIMITED},
)
