"""Main loop: the loop that an explanation is about, by wave, and the iterations in which it repeats."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.analyze.loop_figures import iterations_of_each_wave, measure_loops
from wavesim.analyze.loops import FoundLoop, WaveLoop, find_loops
from wavesim.analyze.stalls import issued_rows
from wavesim.analyze.steady import Window, find_window
from wavesim.trace import Timeline


@dataclass(frozen=True)
class Steady:
    """The loop that is explained: runs of it by wave, its steady window, and its code, of which a pass is
    ``unroll`` iterations."""

    runs: list[WaveLoop | None]
    window: Window | None
    reference: WaveLoop | None
    loop: FoundLoop | None = None
    unroll: int = 1


def steady_of(timeline: Timeline, head: int | None = None) -> Steady:
    """The main loop of a Timeline and the iterations in which it repeats, as the analysis has them.

    Args:
        timeline: of a run.
        head: code index of the main loop's head, where that is known.
    """
    issued = [issued_rows(wave) for wave in timeline.waves]
    measured = measure_loops(find_loops(timeline.trace, issued), timeline)
    if head is not None:
        measured = tuple(sorted(measured, key=lambda pair: pair[0].head != head))
    if not measured:
        return Steady([None] * len(timeline.waves), None, None)
    runs = iterations_of_each_wave(measured, timeline, issued)
    (loop, figures), reference = measured[0], measured[0][0].waves[0]
    return Steady(runs, find_window(timeline, reference, runs), reference, loop, figures.unroll)
