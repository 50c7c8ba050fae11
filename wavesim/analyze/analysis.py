"""The analysis of a Timeline, simulated or measured: one call that gathers every figure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from wavesim.analyze.bounds import find_bounds
from wavesim.analyze.code_tables import code_tables
from wavesim.analyze.idle import idle_pipe_clk
from wavesim.analyze.loops import find_loops, iterations_of_each_wave, measure_loops
from wavesim.analyze.occupancy import busy_share, find_occupancy, find_overlap
from wavesim.analyze.result import Analysis, Loop
from wavesim.analyze.stalls import group_waves, issued_rows, wave_stalls
from wavesim.analyze.steady import Window, find_window, steady_state
from wavesim.analyze.throughput import find_throughput
from wavesim.isa.machine import Machine
from wavesim.kernel.launch import Launch
from wavesim.trace import Timeline

if TYPE_CHECKING:
    from wavesim.emulate.numerics import Numerics


def analyze(
    timeline: Timeline,
    machine: Machine,
    launch: Launch | None = None,
    numerics: Numerics | None = None,
    *,
    clock_ghz: float | None = None,
) -> Analysis:
    """Stalls, loops, steady state, busy shares, overlap, bounds and throughput of ``timeline``.

    Args:
        timeline: Simulated or measured; incomplete runs (deadlock) are analysed as far as they came.
        machine: The machine it ran on; its service times give the bounds.
        launch: The launch, for the number of workgroups.
        numerics: The numeric check; wrong numbers make TFLOP/s meaningless, which is then noted.
        clock_ghz: Clock for TFLOP/s instead of the machine file's.
    """
    parameters = machine.parameters
    trace = timeline.trace
    tables = code_tables(trace, parameters)
    positions = range(len(timeline.waves))
    stalls = tuple(wave_stalls(timeline, position, tables) for position in positions)
    issued = [issued_rows(wave) for wave in timeline.waves]
    measured = measure_loops(find_loops(trace, issued), timeline)
    runs = iterations_of_each_wave(measured, timeline, issued)
    reference = measured[0][0].waves[0] if measured else None
    window = find_window(timeline, reference, runs)
    steady = steady_state(timeline, reference, runs, window)
    occupancy = find_occupancy(timeline, tables, parameters)
    notes = list(timeline.notes)
    if occupancy.estimated:
        notes.append("matrix-pipe and LDS-port use estimated from issue times")
    if tables.missing_mfma:
        notes.append(f"no data for {', '.join(tables.missing_mfma)}: not in MFMA busy, bounds and TFLOP/s")
    if numerics is not None and numerics.checked and not numerics.ok:
        notes.append("the numbers are wrong: TFLOP/s is the rate of a kernel that computes something else")
    return Analysis(
        arch=trace.arch,
        engine=timeline.engine,
        measured=timeline.measured,
        complete=timeline.complete and trace.complete,
        clk_total=timeline.clk_total,
        instructions=sum(wave.instructions for wave in stalls),
        waves=stalls,
        groups=group_waves(timeline, stalls, runs, window, tables),
        loops=tuple(
            _with_period(loop, window) if index == 0 else loop for index, (_, loop) in enumerate(measured)
        ),
        steady=steady,
        mfma_busy=tuple(busy_share(span, steady) for span in occupancy.pipes),
        lds_busy=tuple(busy_share(span, steady) for span in occupancy.ports),
        mfma_idle=idle_pipe_clk(timeline, occupancy, steady, window.period_clk if window else None),
        busy_estimated=occupancy.estimated,
        overlap=find_overlap(timeline, occupancy, tables, parameters, steady),
        bounds=find_bounds(timeline, runs, window, tables, machine),
        throughput=find_throughput(timeline, machine, launch, tables, runs, window, steady, clock_ghz),
        notes=tuple(notes),
    )


def _with_period(loop: Loop, window: Window | None) -> Loop:
    if window is None or window.period is None:
        return loop
    return dataclasses.replace(
        loop,
        period_iterations=window.period,
        period_clk=window.period_clk,
        from_iteration=window.first,
        periods=(window.last - window.first) // window.period,
    )
