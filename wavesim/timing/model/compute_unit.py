"""The compute unit (docs/model §1): what it shares, the waves on it, and the run of both."""

from __future__ import annotations

from collections.abc import Callable

import simpy

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import budget, clocks_used_up
from wavesim.timing.model.parts import Parts
from wavesim.timing.model.wave import Wave
from wavesim.trace import Timeline, Trace

EVENTS_PER_REPORT = 20_000
"""Events between looks at the limit and calls of ``progress``."""


class ComputeUnit:
    """The parts of a compute unit and the waves that run on it."""

    def __init__(self, trace: Trace, p: TimingParameters) -> None:
        self.trace = trace
        self.parts = Parts(trace, p)
        self.waves = [Wave(self.parts, position, wave) for position, wave in enumerate(trace.waves)]
        self.parts.spins.waves += self.waves
        self.parts.dispatcher.takes(self.waves)

    def step(self, progress: Callable[[float], None] | None) -> None:
        """Let time run until nothing can happen any more.

        Raises:
            LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
        """
        rows, limit_clk = max(1, self.trace.instruction_count), budget().clk
        ended = False
        while not ended:
            try:
                for _ in range(EVENTS_PER_REPORT):
                    self.parts.clock.env.step()
            except simpy.core.EmptySchedule:
                ended = True
            if self.parts.clock.now > limit_clk:
                raise clocks_used_up()
            if progress is not None:
                progress(sum(wave.row for wave in self.waves) / rows)

    def timeline(self) -> Timeline:
        """What was written down."""
        total_clk = max((wave.latest_clk() for wave in self.waves), default=0)
        ended = all(wave.finish_clk is not None for wave in self.waves)
        return Timeline(
            trace=self.trace,
            waves=tuple(wave.timeline(total_clk) for wave in self.waves),
            clk_total=total_clk,
            busy=self.parts.uses.busy(),
            engine="simpy",
            complete=self.trace.complete and ended,
        )


def run(
    trace: Trace, parameters: TimingParameters, progress: Callable[[float], None] | None = None
) -> Timeline:
    """Time a trace.

    Args:
        trace: the executed streams.
        parameters: the machine's numbers.
        progress: called now and then with the share done, 0..1.

    Raises:
        LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
    """
    unit = ComputeUnit(trace, parameters)
    unit.step(progress)
    return unit.timeline()
