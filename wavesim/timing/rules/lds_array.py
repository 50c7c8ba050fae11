"""The bank array serves one access of both SIMD pairs at a time, longer under conflicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wavesim.isa.kinds import Kind
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule, every
from wavesim.trace import UNKNOWN, CodeEntry, Trace


def without(trace: Trace) -> Trace:
    """What is known of bank conflicts becomes 0 clk."""
    waves = tuple(
        replace(wave, array_clk=np.where(wave.array_clk == UNKNOWN, wave.array_clk, 0).astype(np.int32))
        for wave in trace.waves
    )
    return replace(trace, waves=waves)


RULE = Rule(
    name="lds_array",
    section=6,
    off="an access takes 0 clk of the bank array, also where the Trace gives them",
    evidence="evidence/lds.md#bank-conflicts",
    parameters={"lds_array_clk": every("lds_array_clk", 0), "lds_subdword_clk": 0},
    trace=without,
)


def conflict_free_clk(p: TimingParameters, entry: CodeEntry) -> int:
    """Clocks of the bank array that an LDS instruction takes where the Trace does not say."""
    kind = "write" if entry.kind is Kind.LDS_WRITE else "read"
    table = {width: clk for (which, width), clk in p.lds_array_clk.items() if which == kind}
    return p.write_clk(table, entry.width_bytes)
