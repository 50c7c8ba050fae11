"""The what-if ladder: every row is what a run with that change takes, whole and unshortened."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from wavesim.analyze.analysis import analyze
from wavesim.analyze.result import LEVEL_BOUNDS
from wavesim.asm.tools import MissingTool
from wavesim.explanation.main_loop import steady_of
from wavesim.explanation.pace import Pace, Streams, pace_of, timed
from wavesim.explanation.whatif import WHAT_IFS, Rung, WhatIf, by_gain, measure
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.timing import simulate
from wavesim.timing.rules import plain_inputs
from wavesim.trace import Kind

ROOT = Path(__file__).resolve().parents[2]
KERNELS = ("kernels/8wave.yaml", "kernels/seed/v4.yaml")
DEADLOCKED = "v1"
LADDER = [
    str(path.relative_to(ROOT))
    for folder in ("kernels/*.yaml", "kernels/seed/*.yaml")
    for path in sorted(ROOT.glob(folder))
    if path.stem != DEADLOCKED
]
STEPS = 36


@cache
def run_of(name: str) -> Run:
    return run_kernel(ROOT / name, RunOptions(settings={"K": str(64 * STEPS)}))


@cache
def long_run() -> Run:
    return run_kernel(ROOT / "kernels/8wave.yaml", RunOptions(settings={"K": str(64 * 64)}))


def head_of(run: Run) -> int | None:
    return run.analysis.loop.head if run.analysis.loop else None


def whole_pace(run: Run, row: WhatIf) -> Pace | None:
    """The pace of a row by the whole streams, each counted as the headline of a run is."""
    streams = Streams(run.timeline.trace, run.timeline.trace)
    return streams.pace(run.machine, row.change, head_of(run))


@pytest.mark.parametrize("name", LADDER)
def test_the_pace_is_the_headline_of_the_run(name: str) -> None:
    run = run_of(name)
    assert run.analysis.loop is not None
    _, base = timed(run)
    assert base.clk == pytest.approx(run.analysis.loop.clk_per_iteration)
    assert base.run_clk == run.analysis.clk_total


@pytest.mark.parametrize("name", KERNELS)
def test_shortened_streams_keep_the_pace(name: str) -> None:
    run = run_kernel(ROOT / name, RunOptions(settings={"K": str(64 * 64)}))
    steady = steady_of(run.timeline)
    streams, base = timed(run, steady)
    assert streams.left_out
    assert streams.short.instruction_count < run.timeline.trace.instruction_count
    found = pace_of(simulate(streams.short, run.machine.parameters), run.machine, streams.left_out)
    assert found is not None
    assert found.same(base)


@pytest.mark.parametrize("row", WHAT_IFS, ids=lambda row: row.name)
def test_a_row_of_shortened_streams_is_that_of_the_whole_run(row: WhatIf) -> None:
    run = long_run()
    streams, base = timed(run)
    assert streams.left_out
    found, whole = measure(streams, run.machine, row, base, head_of(run)), whole_pace(run, row)
    assert (found is None) == (whole is None)
    if found is not None and whole is not None:
        assert found.clk == pytest.approx(whole.clk)
        assert base.run_clk - found.run_gain_clk == whole.run_clk


@pytest.mark.parametrize("name", LADDER)
@pytest.mark.parametrize("row", WHAT_IFS, ids=lambda row: row.name)
def test_no_row_is_below_a_bound_that_it_leaves_in_place(name: str, row: WhatIf) -> None:
    """The headline of a run of the changed inputs, with the bounds of the changed inputs."""
    run = run_of(name)
    streams, base = timed(run)
    found = measure(streams, run.machine, row, base, head_of(run))
    inputs = row.change(run.timeline.trace, run.machine.parameters)
    assert (found is None) == (inputs is None)
    if found is None or inputs is None:
        return
    assert found.gain_clk == pytest.approx(base.clk - found.clk)
    trace, parameters = plain_inputs(*inputs)
    machine: Machine = replace(run.machine, parameters=parameters)
    timeline = replace(simulate(*inputs), trace=trace)
    bounds = analyze(timeline, machine, bounded=False).bounds
    assert bounds is not None
    left = bounds.named()
    if row.name == "no_arbitration":
        del left["issue"]
    assert found.clk >= max(left.values()) * (1 - 1e-9)


SHIPPED = [
    str(path.relative_to(ROOT))
    for kind in ("*.yaml", "seed/*.yaml", "lessons/*.yaml", "*/*.s", "hip/*.hip")
    for path in sorted(ROOT.glob(f"kernels/{kind}"))
    if ".launch" not in path.name and path.parent.name != "foreign"
]
TAKEN_AWAY = {
    "lds_bandwidth_2": ("lds_bytes", "lds_service"),
    "no_bank_conflicts": ("lds_service",),
    "matrix_pipe_free": ("mfma",),
    "no_arbitration": ("issue",),
    "memory_latency_0": ("memory_in_flight", *LEVEL_BOUNDS),
    "memory_rate_2": ("global_bytes", "memory_in_flight"),
    "memory_in_flight": ("memory_in_flight",),
}
"""Rows -> bounds that they take away; all others leave every bound in place."""


@pytest.mark.parametrize("name", SHIPPED)
def test_no_row_of_a_shipped_kernel_is_below_its_own_bounds(name: str) -> None:
    """The bounds of the kernel as it is, those that the row takes away left out."""
    try:
        if name in LADDER:
            run = run_of(name)
        else:
            arch = "gfx950" if name.startswith("kernels/hip") else None  # some are for no other
            run = run_kernel(ROOT / name, RunOptions(arch=arch, numbers=False))
    except MissingTool as error:
        pytest.skip(str(error))
    loop, bounds = run.analysis.loop, run.analysis.bounds
    if loop is None or bounds is None or not run.analysis.complete:
        return
    streams, base = timed(run)
    for row in WHAT_IFS:
        found = measure(streams, run.machine, row, base, loop.head)
        gone = TAKEN_AWAY.get(row.name, ())
        left = max(clk for name, clk in bounds.named().items() if name not in gone)
        assert found is None or found.clk >= left * (1 - 1e-9), row.name


def test_waves_that_run_apart_are_rated_by_the_work_of_all() -> None:
    """Without barriers single waves of the 256x256 tile are quick, below the bound of the matrix pipes, and
    the run is slower: no first place."""
    run = run_kernel(ROOT / "kernels/8wave_256.yaml", RunOptions(settings={"K": "2048"}))
    streams, base = timed(run)
    rows = [measure(streams, run.machine, row, base, head_of(run)) for row in WHAT_IFS]
    ladder = by_gain([row for row in rows if row is not None])
    (apart,) = (row for row in ladder if row.name == "no_barrier")
    assert run.analysis.bounds is not None
    assert apart.clk > run.analysis.bounds.mfma
    assert apart.gain_clk < 0
    assert apart.run_gain_clk < 0
    assert ladder[0].run_gain_clk >= 0


def test_what_makes_the_run_slower_is_never_first() -> None:
    rows = [Rung("loop", "", 50.0, 50.0, 0.5, True, -4), Rung("less", "", 90.0, 10.0, 0.1, True, 4)]
    assert [row.name for row in by_gain(rows)] == ["less", "loop"]


def test_rows_change_what_they_say() -> None:
    run = run_of("kernels/seed/v4.yaml")
    trace, p = run.timeline.trace, run.machine.parameters
    rows = {row.name: row.change(trace, p) for row in WHAT_IFS}
    conflicts = rows["no_bank_conflicts"]
    assert conflicts is not None
    before = sum(int(wave.array_clk.sum()) for wave in trace.waves)
    assert sum(int(wave.array_clk.sum()) for wave in conflicts[0].waves) < before
    latency = rows["lds_latency_0"]
    assert latency is not None
    assert latency[1].lds_read_latency_clk == 0
    barrier = rows["no_barrier"]
    assert barrier is not None
    assert not any(entry.kind is Kind.BARRIER for entry in barrier[0].code)
    assert rows["no_priorities"] is None  # it has none
    assert rows["no_arbitration"] is not None  # two waves share a SIMD


def test_the_largest_gain_stands_first() -> None:
    run = run_of("kernels/8wave.yaml")
    streams, base = timed(run)
    found = [measure(streams, run.machine, row, base, head_of(run)) for row in WHAT_IFS[:4]]
    gains = [each.gain_clk for each in by_gain([each for each in found if each is not None])]
    assert gains == sorted(gains, reverse=True)
