"""Idle matrix pipes: what the waves of the SIMD do in the clocks in which their pipe does nothing."""

from __future__ import annotations

from collections.abc import Mapping

from wavesim.analyze.activity import Activity, wave_activity
from wavesim.analyze.intervals import complement, union
from wavesim.analyze.occupancy import Occupancy
from wavesim.analyze.result import SteadyState
from wavesim.trace import Timeline


def idle_pipe_clk(timeline: Timeline, occupancy: Occupancy, steady: SteadyState) -> Mapping[str, float]:
    """Idle matrix-pipe clocks by what the SIMD's waves do meanwhile.

    Every idle clock is divided evenly among the waves of the SIMD. The figures are clk per iteration
    (of the whole run where there is no loop), mean over the SIMDs with waves, and add up to the idle
    clocks; classes with no clocks are left out, the largest comes first.
    """
    found = dict.fromkeys(Activity, 0.0)
    simds = sorted({wave.simd for wave in timeline.waves})
    for simd in simds:
        span = occupancy.pipes[simd]
        idle = complement(union(span.start_clk, span.end_clk), steady.from_clk, steady.to_clk)
        members = [position for position, wave in enumerate(timeline.waves) if wave.simd == simd]
        for position in members:
            activities = wave_activity(timeline, position, steady.from_clk, steady.to_clk)
            for activity, clocks in activities.items():
                found[activity] += clocks.common_clk(idle) / len(members)
    share = max(1, len(simds)) * max(1, steady.iterations)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return {activity.name.lower(): clk / share for activity, clk in ranked if clk}
