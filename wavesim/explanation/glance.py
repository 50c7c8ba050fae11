"""At a glance: what a run's time goes to, and the best of the edits that are tried in a moment.

These are edits of the program that are timed on its own executed streams; ``wavesim explain`` tries more,
and ``wavesim tune`` looks for a whole new order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wavesim.explanation.diagnosis import (
    AT_BOUND,
    UNTIMED,
    diagnosed_from,
    may_diagnose,
    quickly_timed,
)
from wavesim.explanation.main_loop import Steady
from wavesim.explanation.pace import Pace, Streams
from wavesim.pipeline.run import Run

LEAST_GAIN_SHARE = 0.01
"""Share of an iteration that the first thing to try gains at least."""


def at_a_glance(run: Run, progress: Callable[[str, float], None] | None = None) -> Run:
    """The run with its diagnosis and what to try first, which take some short simulations.

    Without the compiled engine, or where they would take long, it says that they were not made; a run that
    did not finish, or that is itself a what-if, is given back as it is. Edits are tried on kernels with a
    loop of which everything is known.
    """
    if not may_diagnose(run):
        return run
    found = quickly_timed(run)
    if found is None:
        return replace(run, diagnosis=UNTIMED)
    run = diagnosed_from(run, *found)
    if run.analysis.loop is None or run.unknowns is not None:
        return run
    if progress is not None:
        progress("try edits", 0.0)
    return replace(run, to_try=_to_try(run, *found))


def _to_try(run: Run, steady: Steady, streams: Streams, base: Pace) -> str:
    """The best of the quick edits in a sentence, or what else there is to do."""
    from wavesim.explanation.advice import Bench, gaining_pace, vetted  # with the checks: not for small runs
    from wavesim.explanation.candidates import LoopCode, candidates
    from wavesim.explanation.stepwise import stepwise_waits

    bench = Bench.of(run, streams, base)
    loop = LoopCode.of(run.timeline, bench.relaxer, steady)
    quick = [each for each in (*candidates(loop, ()), *stepwise_waits(loop)) if not each.needs_order]
    paced = [(each, pace) for each in quick if (pace := gaining_pace(bench, each)) is not None]
    worth = [each for each in paced if base.clk - each[1].clk >= LEAST_GAIN_SHARE * base.clk]
    worth.sort(key=lambda each: (each[1].clk - base.clk, each[0].kind, each[0].text))
    for candidate, pace in worth:  # the code of the best is checked first, and mostly that is all
        advice = vetted(bench, candidate, pace)
        if advice is not None:
            return advice.said(base)
    return nothing_to_try(run, base) or (
        f"No quick edit gains 1 % ({len(quick)} tried); wavesim tune looks for a new order."
    )


def nothing_to_try(run: Run, base: Pace) -> str:
    """Why no edit helps, where the kernel is at its bound; else nothing."""
    bounds = run.analysis.bounds
    if bounds is None or bounds.named()[bounds.binding] < AT_BOUND * base.clk:
        return ""
    return "No order of this work gains much: only less work where the bound is."
