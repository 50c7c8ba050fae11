"""Global-memory accesses return in order across the compute unit."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_in_order",
    section=10,
    off="an access returns its latency after it is accepted, in whatever order",
    evidence="evidence/memory.md#order-of-return",
    in_engine=True,
)
