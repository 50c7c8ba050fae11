"""Idle matrix pipes: what keeps the waves of the SIMD from feeding them, through barriers if need be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from wavesim.analyze.activity import Activity, wave_activity
from wavesim.analyze.intervals import union
from wavesim.analyze.occupancy import Occupancy
from wavesim.analyze.result import SteadyState
from wavesim.trace import Timeline

Float = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]

SLOT_CLK = 4
MAX_SLOTS = 250_000
"""Slots that are looked at: the first of a longer window."""


def idle_pipe_clk(
    timeline: Timeline, occupancy: Occupancy, steady: SteadyState, period_clk: int | None
) -> Mapping[str, float]:
    """Idle matrix-pipe clocks by cause, clk per iteration (of the whole run where there is no loop).

    Every idle slot is divided evenly among the waves of the SIMD and goes to what each does then. A
    wave that stands at a barrier passes its part on, evenly, to those waves of its workgroup that have
    not arrived: what they do is what it waits for (``barrier`` remains where all have arrived). The
    mean over the SIMDs with waves; the figures add up to the idle clocks, the largest comes first.

    Args:
        timeline: The run.
        occupancy: When its matrix pipes were busy.
        steady: The window to look at.
        period_clk: Length of the period that the window consists of, if it is periodic.
    """
    length = period_clk if period_clk is not None else steady.clk
    slots = min(-(-length // SLOT_CLK), MAX_SLOTS)
    if not slots or not timeline.waves:
        return {}
    to_clk = steady.from_clk + SLOT_CLK * slots
    doing = np.array(
        [_by_slot(timeline, position, steady.from_clk, to_clk) for position in range(len(timeline.waves))]
    )
    found = np.zeros(len(Activity))
    simds = sorted({wave.simd for wave in timeline.waves})
    passed = {
        workgroup: _held_up_by(doing[[wave.workgroup == workgroup for wave in timeline.waves]])
        for workgroup in {wave.workgroup for wave in timeline.waves}
    }
    for simd in simds:
        span = occupancy.pipes[simd]
        busy = union(span.start_clk, span.end_clk)
        edges = np.arange(steady.from_clk, to_clk + 1, SLOT_CLK, dtype=np.int64)
        idle = 1 - np.diff(busy.covered_before(edges)) / SLOT_CLK
        members = [position for position, wave in enumerate(timeline.waves) if wave.simd == simd]
        for position in members:
            waiting = doing[position] == Activity.BARRIER
            own = np.bincount(doing[position], weights=idle * ~waiting, minlength=len(Activity))
            shared = passed[timeline.waves[position].workgroup] @ (idle * waiting)
            found += (own + shared) / len(members)
    iterations = max(1, steady.iterations)
    scale = SLOT_CLK / len(simds) * steady.clk / (SLOT_CLK * slots) / iterations
    ranked = sorted(zip(Activity, (found * scale).tolist(), strict=True), key=lambda item: -item[1])
    return {activity.name.lower(): clk for activity, clk in ranked if clk}


def _by_slot(timeline: Timeline, position: int, from_clk: int, to_clk: int) -> Int8:
    """What the wave does at the beginning of every slot."""
    state = np.full((to_clk - from_clk) // SLOT_CLK, int(Activity.ABSENT), np.int8)
    change = np.zeros(len(state) + 1, np.int64)
    for activity, clocks in wave_activity(timeline, position, from_clk, to_clk).items():
        first = -(-(clocks.start - from_clk) // SLOT_CLK)
        last = -(-(clocks.end - from_clk) // SLOT_CLK)
        change[:] = 0
        np.add.at(change, first, 1)
        np.add.at(change, last, -1)
        state[np.cumsum(change[:-1]) > 0] = int(activity)
    return state


def _held_up_by(doing: Int8) -> Float:
    """Per activity and slot: the share of it among the waves of a workgroup that are not at a barrier.

    Args:
        doing: What each wave of the workgroup does, shape (waves, slots).
    """
    count = np.array([(doing == int(activity)).sum(axis=0) for activity in Activity], np.float64)
    count[[Activity.BARRIER, Activity.ABSENT]] = 0
    total = count.sum(axis=0)
    count[Activity.BARRIER, total == 0] = 1
    return np.asarray(count / np.maximum(total, 1))
