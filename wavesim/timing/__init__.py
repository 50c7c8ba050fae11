"""The compute-unit model: Trace -> Timeline. docs/model.md is its contract.

Two engines implement it independently: the SimPy model, and a clock-stepped reference for tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Timeline, Trace

ENGINES = ("simpy", "reference")


def simulate(
    trace: Trace,
    parameters: TimingParameters,
    *,
    engine: str = "simpy",
    extrapolate: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Timeline:
    """Time a trace on a machine.

    Args:
        trace: the executed streams; emulated and measured ones are timed alike.
        parameters: the machine's numbers.
        engine: ``"simpy"``, or ``"reference"`` (slow, always steps).
        extrapolate: copy periods of a proven steady state instead of stepping them (exact).
        progress: called now and then with the share done, 0..1.

    Raises:
        UserError: no such engine, or ``parameters.rules_off`` names no such rule.
        LimitExceeded: the simulation passed ``limits.MAX_CLK``.
    """
    if engine not in ENGINES:
        raise UserError(f"no timing engine {engine!r}", None, f"engines: {', '.join(ENGINES)}")
    given = trace
    if parameters.rules_off:
        from wavesim.timing.rules import plain_inputs

        trace, parameters = plain_inputs(trace, parameters)
    if engine == "simpy":
        from wavesim.timing import simpy_engine

        timeline = simpy_engine.run(trace, parameters, progress, extrapolate=extrapolate)
    else:
        from wavesim.timing import reference

        timeline = reference.run(trace, parameters, progress)
    return timeline if trace is given else replace(timeline, trace=given)
