"""`s_setprio` ranks a wave's instructions before those of lower priority."""

from __future__ import annotations

from dataclasses import replace

from wavesim.timing.rule import Rule
from wavesim.trace import Trace


def without(trace: Trace) -> Trace:
    """Every s_setprio sets 0."""
    return replace(trace, code=tuple(replace(entry, priority=0) for entry in trace.code))


RULE = Rule(
    name="setprio",
    section=11,
    off="all priorities are 0",
    evidence="evidence/mfma.md#priority",
    trace=without,
)
