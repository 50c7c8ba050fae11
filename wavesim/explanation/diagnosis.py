"""Diagnosis: one sentence that says what a kernel's time goes to, from what each cause is worth.

It is made here for every report, from the what-ifs that take one cause away. Shares of the critical path do
not tell: with one cause gone the next may take its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wavesim.analyze.result import BOUND_WORDS, Bounds
from wavesim.explanation.main_loop import Steady, steady_of
from wavesim.explanation.pace import Pace, Streams, timed
from wavesim.explanation.whatif import WHAT_IFS, Rung, by_gain, measure
from wavesim.pipeline.run import Run
from wavesim.timing import default_engine

COSTS: Mapping[str, str] = {
    "lds_latency_0": "LDS latency",
    "lds_bandwidth_2": "LDS bandwidth",
    "no_bank_conflicts": "bank conflicts",
    "no_barrier": "waiting at s_barrier",
    "free_waits": "waiting at s_waitcnt",
    "matrix_pipe_free": "the matrix pipe",
    "no_arbitration": "issue slots lost to other waves",
    "memory_latency_0": "global-memory latency",
    "memory_rate_2": "global-memory bandwidth",
    "memory_in_flight": "the limit of loads in flight",
}
"""Rows of the ladder that take a cause away, and the cause. Other rows only change who is first."""

LEAST_GAIN_CLK = 4
"""An issue slot."""

MOST_INSTRUCTIONS = 100_000
"""Longer streams, shortened ones, are not diagnosed by the way: it would take seconds."""

UNTIMED = "What-ifs would take long here: `wavesim explain` tells."
"""In place of a sentence for a run that is not diagnosed by the way."""

AT_BOUND = 0.95
"""Share of the largest bound from which on a kernel is said to be at it."""


def diagnosis(run: Run, base: Pace, rungs: Sequence[Rung]) -> str:
    """The sentence.

    Args:
        run: the run that is diagnosed.
        base: its pace.
        rungs: what the what-ifs gave; those that are no cause are passed over.
    """
    mark = run.mark("clk_per_iteration" if base.per_iteration else "clk_total")
    return sentence(run.analysis.bounds, base, rungs, mark)


def sentence(bounds: Bounds | None, base: Pace, rungs: Sequence[Rung], mark: str = "") -> str:
    """The sentence of a pace and what the what-ifs gave; ``mark`` stands behind each figure."""
    causes = [each for each in by_gain(rungs) if each.name in COSTS and each.run_gain_clk >= 0]
    causes = [each for each in causes if each.gain_clk >= LEAST_GAIN_CLK]
    largest = bounds.named()[bounds.binding] if bounds is not None else 0.0
    said = ""
    if bounds is not None and base.per_iteration and largest >= AT_BOUND * base.clk:
        share, limit = 100 * largest / base.clk, BOUND_WORDS[bounds.binding]
        said = f"{share:.1f} % of what is possible ({limit}) is reached; "
    if not causes:
        said += f"no single cause costs {LEAST_GAIN_CLK} clk"
    for number, each in enumerate(causes[:2]):
        if number:
            said += f"; next is {COSTS[each.name]}: {each.clk:.0f}{mark}"
            continue
        said += f"most goes to {COSTS[each.name]}: {each.clk:.0f}{mark} in place of"
        said += f" {base.clk:.0f}{mark} {base.unit} if {each.text}"
    return f"{said[0].upper()}{said[1:]}."


def may_diagnose(run: Run) -> bool:
    """Whether there is something to diagnose: a run that finished, simulated and no what-if."""
    return run.analysis.complete and not run.what_if and not run.timeline.measured


def quickly_timed(run: Run) -> tuple[Steady, Streams, Pace] | None:
    """The main loop of a run, its streams to time with changes and its pace; ``None``: not by the way."""
    if default_engine() != "compiled":
        return None
    steady = steady_of(run.timeline)
    streams = Streams.of(run.timeline.trace, steady)
    if streams.short.instruction_count > MOST_INSTRUCTIONS:
        return None
    return steady, *timed(run, steady, streams)


def diagnosed_from(run: Run, steady: Steady, streams: Streams, base: Pace) -> Run:
    """The run with its diagnosis from what :func:`quickly_timed` found."""
    head = steady.loop.head if steady.loop is not None else None
    rows = [row for row in WHAT_IFS if row.name in COSTS]
    rungs = [measure(streams, run.machine, row, base, head, base.clk) for row in rows]
    return replace(run, diagnosis=diagnosis(run, base, [each for each in rungs if each is not None]))
