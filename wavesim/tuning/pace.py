"""The pace of a run's loop at each latency of global memory: what whole kernels are compared by."""

from __future__ import annotations

import numpy as np

from wavesim.analyze.result import Loop
from wavesim.pipeline.run import Run
from wavesim.timing import simulate
from wavesim.tuning.score import LATENCIES, at_latency, clk_per_pass, with_latency


def latencies_of(run: Run) -> tuple[float, ...]:
    """Shares of what global memory costs that a result must hold at: ``LATENCIES``, and where it is predicted
    the ends of the prediction's own interval."""
    if run.memory is None:
        return LATENCIES
    low, high = run.memory.prediction.meant(1.0)
    return low, 1.0, high


def bound_clk(run: Run, share: float, rank: int = 0) -> float:
    """The largest bound of a run's first loop, in clocks per iteration; 0 where it is not known."""
    bounds = run.analysis.bounds
    return max(at_latency(bounds, share).values()) if bounds is not None and not rank else 0.0


def iterations(run: Run, loop: Loop) -> float:
    """Iterations of the source that a wave makes of a loop, in the mean."""
    counts = [int((wave.code == loop.head).sum()) for wave in run.timeline.trace.waves]
    return float(np.mean([count for count in counts if count])) * loop.unroll


def loop_clk(run: Run, rank: int = 0, over: float | None = None) -> tuple[float, ...]:
    """Clocks per iteration of a loop at each of :func:`latencies_of`, by the second half of its passes.

    Never below a bound; infinite where the run has no such loop or does not end.

    Args:
        run: the run.
        rank: which of its loops.
        over: iterations over which the loop's clocks are spread; default: its own.
    """
    if len(run.analysis.loops) <= rank or not run.analysis.complete:
        return (float("inf"),) * len(LATENCIES)
    loop = run.analysis.loops[rank]
    trace, parameters = run.timeline.trace, run.machine.parameters
    spread = iterations(run, loop) / loop.unroll / over if over is not None else 1 / loop.unroll
    found = []
    for share in latencies_of(run):
        timeline = run.timeline if share == 1.0 else simulate(*with_latency(trace, parameters, share))
        heads = [
            timed.issue_clk[wave.code == loop.head]
            for wave, timed in zip(trace.waves, timeline.waves, strict=True)
        ]
        found.append(max(clk_per_pass(heads) * spread, bound_clk(run, share, rank)))
    return tuple(found)
