"""Steady state: from which iteration on, and with which period, all waves' issue times repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.analyze.loops import WaveLoop
from wavesim.analyze.result import SteadyState
from wavesim.trace import Timeline

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

MAX_PERIOD_ITERATIONS = 16
"""Longest period looked for by comparing every issue."""

MAX_LONG_PERIOD_ITERATIONS = 512
"""Longest period looked for by the iterations' lengths first."""


@dataclass(frozen=True, slots=True)
class Window:
    """The iterations [first, last) that figures per iteration are taken over, of every wave with a
    loop; ``period`` is None where issue times do not repeat."""

    first: int
    last: int
    period: int | None
    period_clk: int | None


def find_window(
    timeline: Timeline, reference: WaveLoop | None, runs: Sequence[WaveLoop | None]
) -> Window | None:
    """The longest stretch in which iteration k + period equals iteration k for all waves.

    Two iterations are equal if they hold the same instructions at the same clocks relative to the
    oldest looping wave's head. The smallest period whose stretch covers at least half of the
    iterations is taken. Without one: the loop without its first quarter, no period.
    """
    if reference is None:
        return None
    looping = [reference, *(run for run in runs if run is not None and run is not reference)]
    count = min(len(run.head_rows) for run in looping) - 1
    best: tuple[int, int, int] | None = None
    for period in _candidates(timeline, reference, count):
        first, length = _longest_run(_equal_iterations(timeline, looping, count, period))
        if not length:
            continue
        covered = length + period
        if best is None or covered > best[1] - best[0]:
            best = (first, first + covered, period)
        if 2 * covered >= count:
            break
    if best is None or (best[1] - best[0] < 2 * best[2]):
        return Window(min(count // 4, count - 1), count, None, None)
    first, last, period = best
    last = first + (last - first) // period * period
    heads = timeline.waves[reference.wave].issue_clk[reference.head_rows]
    return Window(first, last, period, int(heads[first + period] - heads[first]))


def steady_state(
    timeline: Timeline, reference: WaveLoop | None, runs: Sequence[WaveLoop | None], window: Window | None
) -> SteadyState:
    """The window in clocks of the oldest wave that loops; the whole run where none does.

    In a periodic window it is cut to the clocks at which every wave is inside the repeating iterations
    (staggered waves enter them later, or leave them earlier), as far as whole periods remain.
    """
    if window is None or reference is None:
        return SteadyState(0, timeline.clk_total, 0, exact=False)
    heads = timeline.waves[reference.wave].issue_clk[reference.head_rows]
    first, last = window.first, window.last
    if window.period is not None:
        issues = [timeline.waves[run.wave].issue_clk[run.head_rows] for run in runs if run is not None]
        entered = max(int(issue[window.first]) for issue in issues)
        left = min(int(issue[window.last]) for issue in issues)
        while first + window.period < last and heads[first] < entered:
            first += window.period
        while first + window.period < last and heads[last] > left:
            last -= window.period
    return SteadyState(int(heads[first]), int(heads[last]), last - first, window.period is not None)


def _candidates(timeline: Timeline, run: WaveLoop, count: int) -> Iterator[int]:
    """Periods to try, in iterations: all short ones, then the long ones that the lengths of the oldest wave's
    iterations repeat in for half of them."""
    yield from range(1, min(MAX_PERIOD_ITERATIONS, count // 2) + 1)
    length = np.diff(timeline.waves[run.wave].issue_clk[run.head_rows[: count + 1]])
    for period in range(MAX_PERIOD_ITERATIONS + 1, min(MAX_LONG_PERIOD_ITERATIONS, count // 2) + 1):
        if 2 * (_longest_run(length[period:] == length[:-period])[1] + period) >= count:
            yield period


def _equal_iterations(timeline: Timeline, looping: Sequence[WaveLoop], count: int, period: int) -> Bool:
    """Per iteration k < count - period: whether iteration k + period repeats it."""
    reference = timeline.waves[looping[0].wave].issue_clk[looping[0].head_rows[: count + 1]]
    advance = reference[period:count] - reference[: count - period]
    equal = np.ones(count - period, bool)
    for run in looping:
        code = timeline.trace.waves[run.wave].code
        issue = timeline.waves[run.wave].issue_clk
        heads = run.head_rows[: count + 1]
        size = np.diff(heads)
        length = np.diff(issue[heads])
        equal &= (size[period:] == size[:-period]) & (length[period:] == length[:-period])
        if not equal.any():
            break
        rows = np.arange(heads[0], heads[count - period])
        shift = np.repeat(heads[period:count] - heads[: count - period], size[: count - period])
        step = np.repeat(advance, size[: count - period])
        later = np.minimum(rows + shift, len(issue) - 1)
        same = (code[rows] == code[later]) & (issue[later] - issue[rows] == step)
        wrong = np.concatenate(([0], np.cumsum(~same)))
        begin = heads[: count - period + 1] - heads[0]
        equal &= wrong[begin[1:]] == wrong[begin[:-1]]
    return equal


def _longest_run(flags: Bool) -> tuple[int, int]:
    """Start and length of the longest stretch of true flags (the first of equals)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    return int(edges[2 * longest]), int(lengths[longest])
