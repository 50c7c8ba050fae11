"""The clock-stepped reference engine: steps its machine (reference_machine.py) until nothing can happen.

Slow and plain on purpose. It shares nothing with the SimPy engine but the machine's numbers and the Trace,
so that each can show the other's mistakes.
"""

from __future__ import annotations

from collections.abc import Callable

from wavesim.errors import LimitExceeded
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import MAX_CLK
from wavesim.timing.reference_machine import Machine
from wavesim.trace import Reason, Timeline, Trace


def run(
    trace: Trace, parameters: TimingParameters, progress: Callable[[float], None] | None = None
) -> Timeline:
    """Step the machine clock by clock until nothing can happen any more.

    Args:
        trace: the executed streams.
        parameters: the machine's numbers.
        progress: called now and then with the share done, 0..1.

    Raises:
        LimitExceeded: past ``limits.MAX_CLK``.
    """
    machine = Machine(trace, parameters)
    rows = max(1, trace.instruction_count)
    clk = 0
    running = True
    while running or not machine.lds.is_idle:
        if running and clk % parameters.issue_slot_clk == 0:
            machine.slot(clk)
            running = not machine.is_over(clk)
            if progress is not None and clk % 65536 == 0:
                progress(sum(wave.row for wave in machine.waves) / rows)
        machine.lds.late_phase(clk)
        clk += 1
        if clk > MAX_CLK:
            raise LimitExceeded(f"the simulation passed {MAX_CLK} clk")
    return _timeline(machine)


def _timeline(machine: Machine) -> Timeline:
    """What the machine has written down; stuck waves wait to the end of the run."""
    total = 0
    for wave in machine.waves:
        times = [wave.finish_clk or 0, *wave.end, *wave.attempt, wave.arrival_clk or 0]
        total = max(total, *times)
    for wave in machine.waves:
        if wave.waits_for_others:  # every slot was booked as it fell: cut or fill up to the end
            wave.stalls = [item for item in wave.stalls if item[:2] != [wave.row, int(Reason.BARRIER)]]
            if total > (wave.arrival_clk or 0):
                wave.book(Reason.BARRIER, total - (wave.arrival_clk or 0))
    return Timeline(
        trace=machine.trace,
        waves=tuple(wave.timeline(total) for wave in machine.waves),
        clk_total=total,
        busy=machine.spans.busy(),
        engine="reference",
        complete=machine.trace.complete and all(wave.finish_clk is not None for wave in machine.waves),
    )
