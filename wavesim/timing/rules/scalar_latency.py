"""A scalar load of a measured trace takes as long as it was seen to take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wavesim.timing.rule import Rule
from wavesim.trace import UNKNOWN, Kind, Trace


def without(trace: Trace) -> Trace:
    """Latencies of scalar loads are not known."""
    scalar = np.array([entry.kind is Kind.SMEM for entry in trace.code], np.bool_)
    waves = []
    for wave in trace.waves:
        latency = wave.memory_latency_clk.copy()
        latency[scalar[wave.code]] = UNKNOWN
        waves.append(replace(wave, memory_latency_clk=latency))
    return replace(trace, waves=tuple(waves))


RULE = Rule(
    name="scalar_latency",
    section=7,
    off="all scalar records take `scalar.load_latency_clk`",
    evidence="replay_notes.md",
    trace=without,
)
