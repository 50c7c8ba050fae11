"""Pace: what kernels, what-ifs and advice are rated by, the throughput of the headline over the whole run.

Long loops are timed shortened where that is shown to give the same figures: the issue times of the shortened
run repeat up to the end of its loop, so that the passes left out would be more of the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isclose

import numpy as np

from wavesim.analyze.bounds import find_bounds
from wavesim.analyze.code_tables import code_tables
from wavesim.analyze.passes import Passes, find_passes
from wavesim.explanation.main_loop import Steady, steady_of
from wavesim.isa.machine import Machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import Change, Run
from wavesim.timing import simulate
from wavesim.timing.rules import plain_inputs
from wavesim.trace import Category, Timeline, Trace

ITERATIONS = 32
"""Passes of the main loop that a shortened run keeps at least."""

COMMON_PERIODS = 12
"""Passes are left out by multiples of it, so that runs of many periods can be shortened alike."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run is.

    Attributes:
        clk: clocks of the compute unit per iteration of the main loop, all waves' work counted (of the whole
            run where there is no loop). Never below a bound of what was timed.
        run_clk: clocks of the whole run.
        exact: the issue times of the loop repeat.
        per_iteration: whether there is a loop.
        at_bound: name of the bound that a loop too short to be steady was raised to.
    """

    clk: float
    run_clk: int
    exact: bool
    per_iteration: bool
    at_bound: str = ""

    @property
    def unit(self) -> str:
        """What ``clk`` is counted in."""
        return "clk per iteration" if self.per_iteration else "clk"

    def same(self, other: Pace) -> bool:
        """Whether the figures are equal, but for rounding."""
        return isclose(self.clk, other.clk, rel_tol=1e-9) and self.run_clk == other.run_clk


@dataclass(frozen=True)
class Streams:
    """Executed streams to time with changes: whole, and without ``left_out`` passes of the main loop."""

    whole: Trace
    short: Trace
    left_out: int = 0

    @classmethod
    def of(cls, trace: Trace, steady: Steady) -> Streams:
        """Streams whose main loop is cut where that can be done evenly."""
        short, left_out = shortened(trace, steady)
        return cls(trace, short, left_out)

    @property
    def uncut(self) -> Streams:
        """The whole streams only."""
        return Streams(self.whole, self.whole)

    def pace(
        self, machine: Machine, change: Change, head: int | None = None, enough_clk: float = inf
    ) -> Pace | None:
        """The pace of the whole streams with a change; ``None``: it changes nothing, or waves get stuck.

        Args:
            machine: what the streams run on as they are.
            change: gives the other inputs.
            head: code index of the loop that counts, where the code is not changed.
            enough_clk: as :func:`pace_of` takes it.

        Raises:
            UserError: the changed inputs cannot be timed.
        """
        cut = [(self.short, self.left_out)] if self.left_out else []
        for trace, left_out in [*cut, (self.whole, 0)]:
            inputs = change(trace, machine.parameters)
            timeline = simulate(*inputs) if inputs is not None else None
            if inputs is None or timeline is None or not timeline.complete:
                return None
            changed = replace(machine, parameters=inputs[1])
            pace = pace_of(timeline, changed, left_out, steady_of(timeline, head), enough_clk)
            if pace is not None:
                return pace
        return None


def timed(run: Run, steady: Steady | None = None, streams: Streams | None = None) -> tuple[Streams, Pace]:
    """The streams of a run and its pace; shortened ones only if they give the same pace.

    Args:
        run: a complete one.
        steady: its main loop, where it is known.
        streams: its streams, where they were shortened already.
    """
    steady = steady or steady_of(run.timeline)
    base = pace_of(run.timeline, run.machine, steady=steady)
    assert base is not None
    streams = streams or Streams.of(run.timeline.trace, steady)
    if streams.left_out:
        timeline = simulate(streams.short, run.machine.parameters)
        short = pace_of(timeline, run.machine, streams.left_out) if timeline.complete else None
        if short is None or not short.same(base):
            streams = streams.uncut
    return streams, base


def unchanged(trace: Trace, parameters: TimingParameters) -> tuple[Trace, TimingParameters]:
    """The change that changes nothing."""
    return trace, parameters


def pace_of(
    timeline: Timeline,
    machine: Machine,
    left_out: int = 0,
    steady: Steady | None = None,
    enough_clk: float = inf,
) -> Pace | None:
    """The pace of a simulated run, with ``left_out`` passes more; ``None``: it does not show how they went.

    Args:
        timeline: a complete simulated run.
        machine: what it was timed on, changes included.
        left_out: passes that the main loop has more in the whole run.
        steady: its main loop, where it is known.
        enough_clk: a pace that is slower need not be held against the bounds.
    """
    steady = steady or steady_of(timeline)
    window, loop = steady.window, steady.loop
    if window is None or loop is None:
        return Pace(float(timeline.clk_total), timeline.clk_total, True, False) if not left_out else None
    passes = find_passes(loop, timeline)
    more_clk = 0
    if left_out:
        ends = {len(run.head_rows) - 1 for run in steady.runs if run is not None}
        if window.period is None or window.period_clk is None or left_out % window.period or len(ends) > 1:
            return None
        if window.last + window.period <= max(ends) or len(passes.inside.start) != 1:
            return None
        more_clk = left_out // window.period * window.period_clk
    clk = (passes.inside.clk + more_clk) / (passes.made + left_out) / steady.unroll
    least, name = _least(timeline, passes, steady.unroll, machine) if clk < enough_clk else (0.0, "")
    exact = window.period is not None
    at_bound = name if clk < least * (1 - 1e-9) else ""
    return Pace(max(clk, least), timeline.clk_total + more_clk, exact, True, at_bound)


def _least(timeline: Timeline, passes: Passes, unroll: int, machine: Machine) -> tuple[float, str]:
    """The largest bound of what was timed, and its name."""
    parameters = machine.parameters
    if parameters.rules_off:
        trace, parameters = plain_inputs(timeline.trace, parameters)
        timeline, machine = replace(timeline, trace=trace), replace(machine, parameters=parameters)
    bounds = find_bounds(timeline, passes, unroll, code_tables(timeline.trace, parameters), machine)
    if bounds is None:
        return 0.0, ""
    named = bounds.named()
    if "arbitration" in parameters.rules_off:  # only an MFMA still has its slot for itself
        named["issue"] = bounds.issue_by_category.get(str(Category.MFMA), 0.0)
    name = max(named, key=lambda each: named[each])
    return named[name], name


def shortened(trace: Trace, steady: Steady, iterations: int = ITERATIONS) -> tuple[Trace, int]:
    """The streams with fewer passes of the main loop (and all that comes before and after), and how many.

    The trace itself and 0 where that cannot be done evenly: waves without that loop, or polling loops.
    """
    counts = {len(run.head_rows) - 1 if run is not None else 0 for run in steady.runs}
    if len(counts) != 1 or len(trace.memory_latency_by_order_clk) or not trace.complete:
        return trace, 0
    (count,) = counts
    left_out = (count - iterations) // COMMON_PERIODS * COMMON_PERIODS
    if left_out <= 0 or any(wave.spins for wave in trace.waves):
        return trace, 0
    waves = []
    for wave, run in zip(trace.waves, steady.runs, strict=True):
        if run is None or not run.joined[count - left_out - 1 :].all():
            return trace, 0
        first, last = int(run.head_rows[count - left_out]), int(run.head_rows[count])
        keep = np.concatenate([np.arange(first), np.arange(last, len(wave))])
        waves.append(wave.gathered(keep, wave.code[keep]))
    return replace(trace, waves=tuple(waves)), left_out
