"""A measured latency belongs to the place in the issue order, not to the instruction."""

from __future__ import annotations

from dataclasses import replace

from wavesim.timing.rule import Rule
from wavesim.trace import Trace


def without(trace: Trace) -> Trace:
    """Each instruction has the latency of its own record."""
    return replace(trace, memory_latency_by_order_clk=trace.memory_latency_by_order_clk[:0])


RULE = Rule(
    name="latency_by_order",
    section=10,
    off="latencies by order are dropped, and the record's own hold",
    evidence="evidence/memory.md#latencies-from-a-trace",
    trace=without,
)
