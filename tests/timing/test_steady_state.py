"""Copied periods equal stepped ones in every array, on compiled kernels' traces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.isa.load import load_machine
from wavesim.kernel.launch import Launch, MatrixArgument, ScalarArgument
from wavesim.timing import simulate
from wavesim.timing.steady import loop_head, repeats
from wavesim.trace import Timeline, Trace


def gemm8_trace(path: Path, k: int) -> Trace:
    program = parse_program(path.read_text(), str(path))
    launch = Launch(
        (
            MatrixArgument("A", "bf16", 128, k, seed=1),
            MatrixArgument("B", "bf16", 128, k, seed=2),
            MatrixArgument("C", "f32", 128, 128, init="unwritten"),
            ScalarArgument("N", "i32", 128),
            ScalarArgument("K", "i32", k),
        ),
        512,
    )
    return emulate(program, launch, load_machine(program.arch)).trace


def assert_same(one: Timeline, other: Timeline) -> None:
    assert one.clk_total == other.clk_total
    for left, right in zip(one.waves, other.waves, strict=True):
        for name in (
            "attempt_clk",
            "issue_clk",
            "end_clk",
            "done_clk",
            "stall_row",
            "stall_reason",
            "stall_clk",
        ):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
        assert (left.first_clk, left.last_clk) == (right.first_clk, right.last_clk)
    assert one.busy.keys() == other.busy.keys()
    for resource, uses in one.busy.items():
        for name in ("start_clk", "end_clk", "wave", "row"):
            np.testing.assert_array_equal(getattr(uses, name), getattr(other.busy[resource], name))


@pytest.mark.parametrize(
    "name",
    [
        "gemm8_asmread_fenced.gfx942.s",
        "gemm8_plain.gfx942.s",
        "gemm8_asmread.gfx950.s",
        "gemm8_asmread_unroll2_tied.gfx942.s",
    ],
)
@pytest.mark.parametrize("latency", [300, 1100])
def test_extrapolated_equals_simulated(name: str, latency: int, shared: Path) -> None:
    trace = gemm8_trace(shared / "examples" / name, 1536)
    parameters = replace(load_machine(trace.arch).parameters, memory_latency_clk=latency)
    copied = simulate(trace, parameters, engine="simpy")
    stepped = simulate(trace, parameters, engine="simpy", extrapolate=False)
    assert copied.extrapolation is not None
    assert copied.extrapolation.periods >= 2
    assert stepped.extrapolation is None
    assert_same(copied, stepped)


def test_a_change_in_the_records_ends_the_copying(shared: Path) -> None:
    """One access with a bank conflict late in the loop: periods up to it may be copied, it may not."""
    trace = gemm8_trace(shared / "examples" / "gemm8_plain.gfx942.s", 1536)
    wave = trace.waves[3]
    rows = np.flatnonzero(wave.array_clk > 0)
    changed = wave.array_clk.copy()
    changed[rows[len(rows) * 3 // 4]] = 32
    waves = (*trace.waves[:3], replace(wave, array_clk=changed), *trace.waves[4:])
    trace = replace(trace, waves=waves)
    parameters = load_machine(trace.arch).parameters
    assert_same(
        simulate(trace, parameters, engine="simpy"),
        simulate(trace, parameters, engine="simpy", extrapolate=False),
    )


def test_repeats_counts_whole_equal_periods(shared: Path) -> None:
    trace = gemm8_trace(shared / "examples" / "gemm8_plain.gfx942.s", 640)
    head = loop_head(trace)
    assert head is not None
    wave = trace.waves[0]
    heads = np.flatnonzero(wave.code == head)
    assert len(heads) == 9  # ten tiles, the first before the loop
    length = int(heads[2] - heads[1])
    assert repeats(wave, int(heads[1]), length) in (6, 7)
    assert repeats(wave, int(heads[1]) + 1, length - 1) == 0
