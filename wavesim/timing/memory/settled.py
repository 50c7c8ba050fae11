"""A prediction of memory and the timing that it rests on, brought to agree.

Which lines the L1 has depends on the order in which waves issue their loads, and whether a compute unit has
to wait for its share of the L2 on how fast it asks. Both are known of a timing only. So the streams are timed
as if the L1 had nothing and the L2 were free, and once more with what that shows, if it shows anything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavesim.front.launch.model import Launch
from wavesim.isa.kinds import Kind
from wavesim.isa.machine import Machine
from wavesim.timing.memory.l1 import find_hits
from wavesim.timing.memory.predict import MemoryPrediction, Round, predict_memory
from wavesim.timing.memory.sharing import Sharing
from wavesim.trace import MemoryLevel, Timeline, Trace


def predict_settled(
    launch: Launch,
    machine: Machine,
    trace: Trace,
    round: Round | str,
    time: Callable[[Trace], Timeline],
    sharing: Sharing | None = None,
) -> tuple[MemoryPrediction, Timeline]:
    """Predict memory and time the streams with it; arguments as of
    :func:`wavesim.timing.memory.predict.predict_memory`, and ``time``, the engine."""
    found = predict_memory(trace.program, launch, machine, trace, round, sharing)
    timeline = time(found.trace)
    hits = find_hits(trace, timeline, machine)
    if any(each.any() for each in hits):
        found = predict_memory(trace.program, launch, machine, trace, round, found.sharing, hits)
        timeline = time(found.trace)
    rounds = len({wave.workgroup for wave in trace.waves}) / max(1, launch.sharing)
    if rounds * found.level_clk[MemoryLevel.L2] > _loading_clk(timeline):
        found = predict_memory(
            trace.program, launch, machine, trace, round, found.sharing, hits, crowded=True
        )
        timeline = time(found.trace)
    return found, timeline


def _loading_clk(timeline: Timeline) -> int:
    """Clocks from the first load's issue to the last one's return."""
    load = np.array([entry.kind is Kind.VMEM_LOAD for entry in timeline.trace.code], np.bool_)
    first, last = [], []
    for wave, timed in zip(timeline.trace.waves, timeline.waves, strict=True):
        rows = np.flatnonzero(load[wave.code])
        if len(rows):
            first.append(int(timed.issue_clk[rows].min()))
            last.append(int(timed.done_clk[rows].max()))
    return max(last, default=0) - min(first, default=0)
