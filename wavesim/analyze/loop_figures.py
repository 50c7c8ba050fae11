"""Clocks per iteration of the loops that were found, and each wave's iterations of the main one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wavesim.analyze.loops import FoundLoop, Int64, WaveLoop, find_loops
from wavesim.analyze.passes import find_passes
from wavesim.analyze.result import Loop
from wavesim.analyze.stalls import issued_rows
from wavesim.trace import Timeline


def iteration_clk(run: WaveLoop, timeline: Timeline) -> Int64:
    """Clocks of the wave's single iterations, head issue to head issue."""
    issue = timeline.waves[run.wave].issue_clk[run.head_rows]
    return np.asarray(np.diff(issue)[run.joined], np.int64)


def measure_loops(found: Sequence[FoundLoop], timeline: Timeline) -> tuple[tuple[FoundLoop, Loop], ...]:
    """Statistics of every loop, the outermost with most clocks first."""
    program = timeline.trace.program
    names: dict[int, list[str]] = {}
    for name, place in program.labels.items():
        names.setdefault(place, []).append(name)
    measured = []
    for loop in found:
        depth = sum(
            other is not loop and other.head <= loop.head and loop.tail <= other.tail for other in found
        )
        unroll = max((program.unrolled.get(name, 1) for name in names.get(loop.head, ())), default=1)
        clocks = [iteration_clk(run, timeline) for run in loop.waves]
        every = np.concatenate(clocks)
        p10, median, p90 = (float(value) / unroll for value in np.percentile(every, (10, 50, 90)))
        result = Loop(
            head=loop.head,
            tail=loop.tail,
            label=names.get(loop.head, [""])[0],
            span=timeline.trace.code[loop.head].instruction.span,
            depth=depth,
            waves=tuple(run.wave for run in loop.waves),
            iterations=unroll * max(len(run.head_rows) for run in loop.waves),
            clk=int(every.sum()),
            clk_per_iteration=find_passes(loop, timeline).clk_per_pass / unroll,
            wave_clk_per_iteration=float(np.median([clk.mean() for clk in clocks])) / unroll,
            p10=p10,
            median=median,
            p90=p90,
            unroll=unroll,
        )
        measured.append((loop, result))
    measured.sort(key=lambda pair: (pair[1].depth, -pair[1].clk, pair[1].head))
    return tuple(measured)


def main_loop_clk(timeline: Timeline) -> float | None:
    """Clocks per iteration of the loop that stands first; ``None`` where there is none."""
    found = find_loops(timeline.trace, [issued_rows(wave) for wave in timeline.waves])
    measured = measure_loops(found, timeline)
    return measured[0][1].clk_per_iteration if measured else None


def iterations_of_each_wave(
    measured: Sequence[tuple[FoundLoop, Loop]], timeline: Timeline, issued: Sequence[int]
) -> list[WaveLoop | None]:
    """Per wave the rows at which iterations of the first loop (in published order) begin.

    A wave that does not run that loop (a producer with a loop of its own, say) is cut at the clocks at
    which the oldest wave that does begins its iterations. ``None`` for waves that are there for less
    than half of them, and for all where there is no loop.
    """
    chosen: list[WaveLoop | None] = [None] * len(timeline.waves)
    if not measured:
        return chosen
    main = measured[0][0]
    for run in main.waves:
        chosen[run.wave] = run
    reference = main.waves[0]
    begins = timeline.waves[reference.wave].issue_clk[reference.head_rows]
    for position, wave in enumerate(timeline.waves):
        if chosen[position] is None:
            rows = np.searchsorted(wave.issue_clk[: issued[position]], begins).astype(np.int64)
            rows = rows[rows < issued[position]]
            if len(rows) > 1 and 2 * len(rows) >= len(begins) and wave.first_clk < begins[-1]:
                chosen[position] = WaveLoop(position, rows, np.ones(len(rows) - 1, bool))
    return chosen
