"""Both engines on the ladder's kernels, copies of workgroups and measured traces: equal in every array."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.replays.att.importer import import_trace
from wavesim.replays.compute_unit import memory_mode, replay_inputs
from wavesim.timing import simulate
from wavesim.timing.compare import differences
from wavesim.trace import Spin, Trace, WaveTrace

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT.parent / "shared" / "traces"
LADDER = sorted(path.name for path in (ROOT / "kernels").glob("*.yaml"))
ROWS_OF_A_TRACE = 3000
"""Of each wave; what comes after is the same code again, and SimPy takes its time."""


@cache
def executed(name: str, k: str = "") -> tuple[Trace, TimingParameters]:
    kernel, machine = prepare(ROOT / "kernels" / name, RunOptions(settings={"K": k} if k else {}))
    return emulate(kernel.program, kernel.launch, machine).trace, machine.parameters


def assert_agree(trace: Trace, p: TimingParameters) -> None:
    compiled = simulate(trace, p, engine="compiled")
    simpy = simulate(trace, p, engine="simpy")
    assert list(differences(compiled, simpy)) == []
    assert compiled.notes == simpy.notes


@pytest.mark.parametrize("name", LADDER)
def test_short_kernels(name: str) -> None:
    assert_agree(*executed(name, "512"))


@pytest.mark.parametrize("name", LADDER)
def test_longer_kernels(name: str) -> None:
    assert_agree(*executed(name, "2048"))


COMPILED = (
    "gemm8_asmread_fenced.gfx942.s",
    "gemm8_plain.gfx942.s",
    "gemm8_asmread.gfx950.s",
    "gemm8_asmread_unroll2_tied.gfx942.s",
)


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("latency_clk", [300, 1100])
def test_compiled_kernels(name: str, latency_clk: int, shared: Path) -> None:
    launch = LaunchOptions(
        block=512,
        arguments=("A=bf16[128,K]:random", "B=bf16[128,K]:random", "C=f32[128,128]", "N=i32:128", "K=i32:K"),
        constants={"K": "512"},
    )
    kernel, machine = prepare(shared / "examples" / name, RunOptions(launch=launch))
    trace = emulate(kernel.program, kernel.launch, machine).trace
    assert_agree(trace, replace(machine.parameters, memory_latency_clk=latency_clk))


@pytest.mark.parametrize("arch", ["gfx90a", "gfx950"])
def test_the_ladder_on_other_machines(arch: str) -> None:
    trace, _ = executed("8wave_256.yaml", "512")
    p = replace(load_machine(arch).parameters, mfma_table=load_machine("gfx942").parameters.mfma_table)
    assert_agree(replace(trace, arch=arch), p)


def copies(trace: Trace, workgroups: int, apart_clk: int) -> Trace:
    """The same workgroup several times, dispatched one after the other."""
    waves = [
        replace(wave, workgroup=number, start_clk=wave.start_clk + number * apart_clk)
        for number in range(workgroups)
        for wave in trace.waves
    ]
    return replace(trace, waves=tuple(waves))


@pytest.mark.parametrize(
    ("name", "workgroups"), [("4wave.yaml", 8), ("8wave.yaml", 4), ("8wave_pingpong.yaml", 9)]
)
@pytest.mark.parametrize("apart_clk", [0, 1000])
def test_copies_of_workgroups(name: str, workgroups: int, apart_clk: int) -> None:
    """32 waves on the compute unit, and 72, more than it has places for."""
    trace, p = executed(name, "256")
    assert_agree(copies(trace, workgroups, apart_clk), p)


def shortened(wave: WaveTrace) -> WaveTrace:
    """Its first rows: a stream that stops before its s_endpgm."""
    rows = min(len(wave), ROWS_OF_A_TRACE)
    spins: tuple[Spin, ...] = tuple(spin for spin in wave.spins if spin.last + 1 < rows)
    return replace(wave.gathered(np.arange(rows), wave.code[:rows]), spins=spins)


@pytest.mark.parametrize("name", sorted(path.name for path in TRACES.glob("gfx*")))
def test_measured_traces(name: str) -> None:
    imported = import_trace(TRACES / name, "auto")
    machine = load_machine(imported.arch)
    for unit in imported.units:
        trace, _ = replay_inputs(unit.timeline, machine, memory_mode("measured"))
        assert_agree(replace(trace, waves=tuple(map(shortened, trace.waves))), machine.parameters)
