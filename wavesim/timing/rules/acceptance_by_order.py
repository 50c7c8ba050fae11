"""An access stays first in the queue for a measured time, which belongs to its place in the issue order."""

from __future__ import annotations

from dataclasses import replace

from wavesim.timing.rule import Rule
from wavesim.trace import Trace


def without(trace: Trace) -> Trace:
    """Every access is accepted as soon as the ones before it let it."""
    return replace(trace, memory_head_by_order_clk=trace.memory_head_by_order_clk[:0])


RULE = Rule(
    name="acceptance_by_order",
    section=10,
    off="an access is accepted as soon as those before it let it",
    evidence="evidence/gfx950.md#late-acceptance",
    trace=without,
)
