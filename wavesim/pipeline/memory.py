"""A run's global memory, predicted: the first round of workgroups is timed, and a later one beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from wavesim.analyze.loop_figures import main_loop_clk
from wavesim.front.launch.model import Launch
from wavesim.isa.machine import Machine
from wavesim.timing.memory.predict import MemoryPrediction, Round
from wavesim.timing.memory.settled import predict_settled
from wavesim.trace import Timeline, Trace


@dataclass(frozen=True)
class PredictedMemory:
    """``prediction`` is of the round that the run's Timeline shows. ``later_clk`` are the clocks of a later
    round, and ``later_clk_per_iteration`` those of an iteration of its main loop, where the whole dispatch
    was asked for and there is one."""

    mode: str
    prediction: MemoryPrediction
    later_clk: int | None = None
    later_clk_per_iteration: float | None = None


def time_predicted(
    trace: Trace,
    launch: Launch,
    machine: Machine,
    mode: str,
    time: Callable[[Trace], Timeline],
) -> tuple[Timeline, PredictedMemory]:
    """Time ``trace`` with predicted memory.

    Args:
        trace: the executed streams.
        launch: what was launched.
        machine: of a device.
        mode: one of :data:`wavesim.isa.memory_roles.MODES`.
        time: the timing engine.
    """
    round = Round.WARM if mode == "warm" else Round.COLD
    first, timeline = predict_settled(launch, machine, trace, round, time)
    found = PredictedMemory(mode, first)
    if mode == "dispatch" and first.rounds > 1 and trace.room is None:  # else what follows is in it
        _, later = predict_settled(launch, machine, trace, Round.WARM, time, first.sharing)
        found = replace(found, later_clk=later.clk_total, later_clk_per_iteration=main_loop_clk(later))
    return timeline, found
