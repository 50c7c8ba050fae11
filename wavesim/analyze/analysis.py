"""The analysis of a Timeline, simulated or measured: one call that gathers every figure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from wavesim.analyze.bounds import find_bounds
from wavesim.analyze.code_tables import code_tables
from wavesim.analyze.following import find_bandwidth, find_following
from wavesim.analyze.idle import idle_pipe_clk
from wavesim.analyze.loop_figures import iterations_of_each_wave, measure_loops
from wavesim.analyze.loops import find_loops
from wavesim.analyze.occupancy import busy_share, find_occupancy, find_overlap
from wavesim.analyze.passes import find_passes
from wavesim.analyze.result import Analysis, Bounds, Loop
from wavesim.analyze.stalls import group_waves, issued_rows, wave_stalls
from wavesim.analyze.steady import Window, find_window, steady_state
from wavesim.analyze.throughput import find_throughput
from wavesim.front.launch.model import Launch
from wavesim.isa.clock import SUSTAINED, Choice, clock_of
from wavesim.isa.machine import Machine
from wavesim.trace import FOLLOWS, Timeline

if TYPE_CHECKING:
    from wavesim.emulate.judge.numerics import Numerics


def analyze(
    timeline: Timeline,
    machine: Machine,
    launch: Launch | None = None,
    numerics: Numerics | None = None,
    *,
    clock: Choice = SUSTAINED,
    bounded: bool = True,
    later_clk: int | None = None,
) -> Analysis:
    """Stalls, loops, steady state, busy shares, overlap, bounds and throughput of ``timeline``.

    Args:
        timeline: Simulated or measured; incomplete runs (deadlock) are analysed as far as they came.
        machine: The machine it ran on; its service times give the bounds.
        launch: The launch, for the number of workgroups.
        numerics: The numeric check; wrong numbers make TFLOP/s meaningless, which is then noted.
        clock: For TFLOP/s: GHz, or which of the machine's clocks.
        later_clk: Clocks of a later round of workgroups, if that is not like the first one, which ran here.
        bounded: Whether the machine's bounds hold for the timeline (not for a what-if that lifts one).
    """
    parameters = machine.parameters
    trace = timeline.trace
    tables = code_tables(trace, parameters)
    positions = range(len(timeline.waves))
    stalls = tuple(wave_stalls(timeline, position, tables) for position in positions)
    issued = [issued_rows(wave) for wave in timeline.waves]
    # loops are those of the workgroups that share the compute unit: what follows is at other iterations
    at_first = [
        0 if wave.start_clk == FOLLOWS else rows for wave, rows in zip(trace.waves, issued, strict=True)
    ]
    measured = measure_loops(find_loops(trace, at_first), timeline)
    runs = iterations_of_each_wave(measured, timeline, at_first)
    following = find_following(timeline)
    reference = measured[0][0].waves[0] if measured else None
    loops = [loop for _, loop in measured]
    unroll = loops[0].unroll if loops else 1
    window = find_window(timeline, reference, runs)
    steady = steady_state(timeline, reference, runs, window)
    steady = dataclasses.replace(steady, iterations=unroll * steady.iterations)
    passes = find_passes(measured[0][0], timeline) if measured else None
    bounds = find_bounds(timeline, passes, unroll, tables, machine)
    occupancy = find_occupancy(timeline, tables, parameters)
    notes = list(timeline.notes)
    if occupancy.estimated:
        notes.append("matrix-pipe and LDS-port use estimated from issue times")
    if tables.missing_mfma:
        notes.append(f"no data for {', '.join(tables.missing_mfma)}: not in MFMA busy, bounds and TFLOP/s")
    if numerics is not None and numerics.checked and not numerics.ok:
        notes.append("the numbers are wrong: TFLOP/s is the rate of a kernel that computes something else")
    if loops:
        loops[0] = _with_period(loops[0], window)
        if bounds is not None and bounded and not timeline.measured:
            loops[0], raised = _not_below(loops[0], bounds)
            notes += raised
    busy = [busy_share(span, steady) for span in occupancy.pipes]
    return Analysis(
        arch=trace.arch,
        engine=timeline.engine,
        measured=timeline.measured,
        complete=timeline.complete and trace.complete,
        clk_total=timeline.clk_total,
        instructions=sum(wave.instructions for wave in stalls),
        waves=stalls,
        groups=group_waves(timeline, stalls, runs, window, tables, unroll),
        loops=tuple(loops),
        steady=steady,
        mfma_busy=tuple(busy),
        lds_busy=tuple(busy_share(span, steady) for span in occupancy.ports),
        mfma_idle=idle_pipe_clk(timeline, occupancy, steady, window.period_clk if window else None),
        busy_estimated=occupancy.estimated,
        overlap=find_overlap(timeline, occupancy, tables, parameters, steady),
        bounds=bounds,
        throughput=find_throughput(
            timeline,
            machine,
            launch,
            tables,
            passes,
            loops[0] if loops else None,
            clock_of(machine, clock, sum(busy) / len(busy) if busy else None),
            later_clk,
            following,
        ),
        notes=tuple(notes),
        following=following,
        bandwidth=find_bandwidth(timeline, machine, launch, tables, following, clock),
    )


def _with_period(loop: Loop, window: Window | None) -> Loop:
    if window is None or window.period is None:
        return loop
    return dataclasses.replace(
        loop,
        period_iterations=loop.unroll * window.period,
        period_clk=window.period_clk,
        from_iteration=loop.unroll * window.first,
        periods=(window.last - window.first) // window.period,
    )


def _not_below(loop: Loop, bounds: Bounds) -> tuple[Loop, list[str]]:
    """The loop with its throughput raised to the largest bound, which only a loop too short passes: what its
    last iterations began is still under way when the last of them begins. And the note that says so."""
    bound = bounds.named()[bounds.binding]
    if loop.clk_per_iteration >= bound:
        return loop, []
    note = (
        f"{loop.iterations} iterations are too few for a steady rate: they begin every "
        f"{loop.clk_per_iteration:.1f} clk and leave work behind for after the loop; clk/iteration is the "
        f"bound {bounds.binding}, {bound:.1f}"
    )
    return dataclasses.replace(loop, clk_per_iteration=bound), [note]
