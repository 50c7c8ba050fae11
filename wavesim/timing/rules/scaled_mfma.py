"""A scaled MFMA issues in two halves: it loads its scales, then takes the matrix pipe."""

from __future__ import annotations

from dataclasses import replace

from wavesim.timing.rule import Rule
from wavesim.trace import Trace


def without(trace: Trace) -> Trace:
    """No MFMA is scaled."""
    return replace(trace, code=tuple(replace(entry, scaled=False) for entry in trace.code))


RULE = Rule(
    name="scaled_mfma",
    section=5,
    off="a scaled MFMA is an ordinary one: it needs the pipe free, occupies it from its issue, and "
    "holds its wave 4 clk",
    evidence="evidence/mfma.md#scaled-mfma",
    trace=without,
)
