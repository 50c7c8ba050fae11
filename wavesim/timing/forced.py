"""Teacher-forced prediction: each instruction's issue clock, every earlier issue being as measured.

The rules are the model's (docs/model, by the compiled engine); only what issues is taken from the measured
timeline instead of the model's own grants, so that an error stays with the instruction that shows it. An
instruction whose conditions hold before it was seen to issue is predicted early; one that was seen although a
condition did not hold is predicted at the clock at which that condition would have ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rules import plain_inputs
from wavesim.timing.rules.barrier_phase import place, release_clk
from wavesim.trace import Kind, Timeline, Trace

Int64 = npt.NDArray[np.int64]

FAR_CLK = 1 << 60


def forced_issue_clk(
    measured: Timeline, trace: Trace, parameters: TimingParameters, until_clk: int = FAR_CLK
) -> tuple[Int64, ...]:
    """Predicted issue clock of every row, per wave of the trace; -1 for rows that no wave reached.

    Args:
        measured: the issue clocks that are taken as given.
        trace: the same streams, with global-memory latencies and bank conflicts as far as known.
        parameters: the machine's numbers, ``rules_off`` included.
        until_clk: rows that issue from this clock on are left out.

    Raises:
        UserError: the compiled engine is not built; SimPy cannot do this.
    """
    from wavesim.timing.compiled.forced import sweep

    if parameters.rules_off:
        trace, parameters = plain_inputs(trace, parameters)
    swept = sweep(measured, trace, parameters, until_clk)
    _predict_barriers(swept.predicted_clk, swept.arrived_clk, measured, trace, parameters)
    return swept.predicted_clk


def _predict_barriers(
    predicted: Sequence[Int64],
    arrived_clk: Sequence[Int64],
    measured: Timeline,
    trace: Trace,
    p: TimingParameters,
) -> None:
    """§8 with measured arrivals: the k-th barrier of a workgroup's waves is one barrier."""
    is_barrier = np.array([entry.kind is Kind.BARRIER for entry in trace.code], np.bool_)
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for position, wave in enumerate(trace.waves):
        for number, row in enumerate(np.flatnonzero(is_barrier[wave.code]).tolist()):
            groups.setdefault((wave.workgroup, number), []).append((position, row))
    for members in groups.values():
        arrived = []
        for position, row in members:
            clk = int(arrived_clk[position][row])
            if clk < 0:
                clk = int(measured.waves[position].attempt_clk[row])
            arrived.append((clk, place(p, trace.waves[position].simd)))
        last_clk, last_place = max(arrived)
        for (position, row), (_, here) in zip(members, arrived, strict=True):
            predicted[position][row] = release_clk(p, here, last_clk, last_place) - p.issue_slot_clk
