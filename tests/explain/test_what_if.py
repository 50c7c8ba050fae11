"""The what-if ladder: every row is what a run with that change takes, whole and unshortened."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from wavesim.analyze.pipeline import Run, RunOptions, run_kernel
from wavesim.explain.whatif import (
    WHAT_IFS,
    by_gain,
    measure,
    pace_of,
    shortened,
    steady_of,
    structure_of,
)
from wavesim.timing import simulate
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


@pytest.mark.parametrize("name", KERNELS)
def test_shortened_streams_keep_the_pace(name: str) -> None:
    run = run_of(name)
    steady = steady_of(run.timeline)
    short = shortened(run.timeline.trace, steady)
    assert short.instruction_count < run.timeline.trace.instruction_count
    base = pace_of(run.timeline, steady)
    assert pace_of(simulate(short, run.machine.parameters)) == base
    by_structure = shortened(run.timeline.trace, structure_of(run.timeline.trace))
    for one, other in zip(short.waves, by_structure.waves, strict=True):
        assert np.array_equal(one.code, other.code)


@pytest.mark.parametrize("name", LADDER)
@pytest.mark.parametrize("row", WHAT_IFS, ids=lambda row: row.name)
def test_each_row_is_reproduced_by_a_whole_run(name: str, row: object) -> None:
    from wavesim.explain.whatif import WhatIf

    assert isinstance(row, WhatIf)
    run = run_of(name)
    trace, parameters = run.timeline.trace, run.machine.parameters
    base = pace_of(run.timeline)
    found = measure(shortened(trace, steady_of(run.timeline)), parameters, row, base)
    changed = row.change(trace, parameters)
    assert (found is None) == (changed is None)
    if found is None or changed is None:
        return
    whole = pace_of(simulate(*changed))
    assert found.gain_clk == pytest.approx(base.clk - found.clk)
    tolerance = 0 if found.exact and whole.exact else 0.05 * base.clk
    assert found.clk == pytest.approx(whole.clk, abs=tolerance)


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
    base = pace_of(run.timeline)
    found = [measure(run.timeline.trace, run.machine.parameters, row, base) for row in WHAT_IFS[:4]]
    gains = [each.gain_clk for each in by_gain([each for each in found if each is not None])]
    assert gains == sorted(gains, reverse=True)
