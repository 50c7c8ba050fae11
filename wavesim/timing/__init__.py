"""The compute-unit model: Trace -> Timeline. docs/model is its contract.

Two engines implement it independently: the SimPy model, to read, and the compiled one, to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Timeline, Trace

ENGINES = ("compiled", "simpy")
CHOICES = ("auto", *ENGINES, "both")
"""What may be asked for: ``auto`` is the compiled engine where it is built, else SimPy."""


@cache
def default_engine() -> str:
    """``"compiled"`` where it is built, else ``"simpy"`` with a message, once."""
    from wavesim.timing.compiled import available

    problem = available()
    if problem:
        import logging

        logging.getLogger(__name__).warning("wavesim: no compiled timing engine, SimPy serves: %s", problem)
    return "simpy" if problem else "compiled"


def simulate(
    trace: Trace,
    parameters: TimingParameters,
    *,
    engine: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> Timeline:
    """Time a trace on a machine.

    Args:
        trace: the executed streams; emulated and measured ones are timed alike.
        parameters: the machine's numbers.
        engine: one of ``CHOICES``; ``"both"`` runs both and compares.
        progress: called now and then with the share done, 0..1.

    Raises:
        UserError: no such engine, or it is not built; ``parameters.rules_off`` names no such rule.
        LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
        EnginesDiffer: both were asked for, and they do not agree.
    """
    if engine not in CHOICES:
        raise UserError(f"no timing engine {engine!r}", None, f"engines: {', '.join(CHOICES)}")
    given = trace
    if parameters.rules_off:
        from wavesim.timing.rules import plain_inputs

        trace, parameters = plain_inputs(trace, parameters)
    if engine == "auto":
        engine = default_engine()
    timelines = []
    if engine != "simpy":
        from wavesim.timing import compiled

        timelines.append(compiled.run(trace, parameters, progress))
    if engine != "compiled":
        from wavesim.timing import model

        timelines.append(model.run(trace, parameters, progress))
    timeline = timelines[0]
    if engine == "both":
        from wavesim.timing.compare import require_equal

        require_equal(*timelines)
        timeline = replace(timeline, engine=engine)
    if not timeline.complete:
        from wavesim.timing.stuck import stuck_notes

        timeline = replace(timeline, notes=(*timeline.notes, *stuck_notes(timeline)))
    return timeline if trace is given else replace(timeline, trace=given)
