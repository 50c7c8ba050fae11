"""The headline is the work of all waves over the compute unit's time, and no bound is above it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wavesim.analyze.analysis import analyze
from wavesim.analyze.loops import find_loops
from wavesim.analyze.passes import find_passes
from wavesim.analyze.result import Analysis
from wavesim.asm.text.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.load import load_machine
from wavesim.pipeline.run import Run, RunOptions, run_kernel
from wavesim.timing import simulate
from wavesim.trace import Timeline

END = """
 .amdhsa_kernel k
 .amdhsa_user_sgpr_kernarg_segment_ptr 1
 .amdhsa_kernarg_size 8
 .amdhsa_group_segment_fixed_size 16384
 .amdhsa_next_free_vgpr 64
 .amdhsa_next_free_sgpr 32
 .amdhsa_accum_offset 64
 .end_amdhsa_kernel
"""
START = """
 .amdgcn_target "amdgcn-amd-amdhsa--{arch}"
k:
 s_load_dwordx2 s[2:3], s[0:1], 0x0
 v_lshlrev_b32 v1, 4, v0
 v_and_b32 v1, 0xfff, v1
 v_readfirstlane_b32 s5, v0
 s_mov_b32 s4, 0
 s_waitcnt lgkmcnt(0)
"""


def timed(text: str, waves: int, arch: str = "gfx942", latency_clk: int = 300) -> tuple[Timeline, Analysis]:
    program = parse_program(START.format(arch=arch) + text + END, "k.s")
    machine = load_machine(arch, {"memory.latency_clk": latency_clk})
    launch = Launch((MatrixArgument("A", "f32", 1, 4096),), 64 * waves)
    timeline = simulate(emulate(program, launch, machine).trace, machine.parameters)
    return timeline, analyze(timeline, machine, launch)


def again(count: int | str, label: str = "loop") -> str:
    """Goes back to ``label`` until it was there ``count`` times."""
    return f" s_add_i32 s4, s4, 1\n s_cmp_lt_i32 s4, {count}\n s_cbranch_scc1 {label}\n"


def test_waves_that_drift_apart(tmp_path: Path) -> None:
    """Old waves win the memory port: their pace alone (1790) would beat the bytes' bound (2048)."""
    loads = "".join(f" global_load_dwordx4 v[{8 + 4 * n}:{11 + 4 * n}], v1, s[2:3]\n" for n in range(8))
    loop = f"loop:\n{loads} s_waitcnt vmcnt(0)\n{again(64)}"
    path = tmp_path / "k.s"
    path.write_text(START.format(arch="gfx942") + loop + " s_endpgm\n" + END)
    options = LaunchOptions(arguments=("A=f32[4096]:random",), block=1024)
    run = run_kernel(path, RunOptions(launch=options, settings={"memory.latency_clk": "116"}))
    loop_found, bounds = run.analysis.loop, run.analysis.bounds
    assert loop_found is not None
    assert bounds is not None
    assert bounds.global_bytes == 2048
    assert loop_found.clk_per_iteration == pytest.approx(2069, abs=1)
    assert loop_found.wave_clk_per_iteration < 1800
    assert not run.analysis.notes  # not raised to the bound: it is what the clocks say


def test_waves_that_march_together_have_the_pace_of_one() -> None:
    _, analysis = timed(f"loop:\n s_barrier\n v_mov_b32 v9, 0\n{again(64)} s_endpgm\n", 8)
    loop = analysis.loop
    assert loop is not None
    assert loop.clk_per_iteration == pytest.approx(loop.wave_clk_per_iteration, rel=0.02)


def test_waves_that_loop_one_after_the_other() -> None:
    """The second half loops when the first is done: an iteration of all waves takes both halves' clocks."""
    text = (
        " s_cmp_ge_u32 s5, 256\n s_cbranch_scc1 second\n"
        f"again:\nloop:\n v_mov_b32 v9, 0\n{again(64)} s_barrier\n s_endpgm\n"
        "second:\n s_barrier\n s_branch again\n"
    )
    _, analysis = timed(text, 8)
    loop = analysis.loop
    assert loop is not None
    assert loop.clk_per_iteration == pytest.approx(2 * loop.wave_clk_per_iteration, rel=0.02)


def test_waves_with_different_counts_of_iterations() -> None:
    """Work and passes are both summed: the waves that go round more often do more MFMAs."""
    text = (
        " s_lshr_b32 s6, s5, 3\n s_add_u32 s6, s6, 8\n"
        f"loop:\n v_mfma_f32_32x32x8_bf16 a[0:15], v[2:3], v[4:5], a[0:15]\n{again('s6')} s_endpgm\n"
    )
    timeline, analysis = timed(text, 8)
    loop, bounds = analysis.loop, analysis.bounds
    assert loop is not None
    assert bounds is not None
    (found,) = find_loops(timeline.trace, [len(wave) for wave in timeline.trace.waves])
    passes = find_passes(found, timeline)
    assert passes.made == pytest.approx(np.mean([8 + 64 * wave // 8 for wave in range(8)]), abs=1)
    assert loop.clk_per_iteration >= bounds.mfma


def test_a_while_loops_last_look_is_no_pass() -> None:
    """A loop that is left at its head: the last time, the head issues and nothing else of it."""
    head = "loop:\n s_cmp_ge_i32 s4, 3\n s_cbranch_scc1 out\n"
    timeline, _ = timed(f"{head} s_add_i32 s4, s4, 1\n s_branch loop\nout:\n s_endpgm\n", 4)
    (found,) = find_loops(timeline.trace, [len(wave) for wave in timeline.trace.waves])
    assert find_passes(found, timeline).made == 3


@pytest.mark.parametrize("unroll", [1, 2, 4])
def test_an_unrolled_loop_counts_its_sources_iterations(unroll: int, root: Path) -> None:
    settings = {"K": "2048", "UNROLL": str(unroll)}
    run = run_kernel(root / "kernels/8wave_pingpong.yaml", RunOptions(settings=settings))
    loop, bounds = run.analysis.loop, run.analysis.bounds
    assert loop is not None
    assert bounds is not None
    assert (loop.unroll, loop.iterations) == (unroll, 32)
    assert bounds.mfma == 1024
    assert bounds.memory_in_flight == pytest.approx(1565.7, abs=0.1)
    assert 1566 <= loop.clk_per_iteration < 1650
    shares = [sum(group.per_iteration.values()) for group in run.analysis.groups if group.per_iteration]
    assert shares == pytest.approx([loop.wave_clk_per_iteration] * len(shares), rel=0.05)
    assert run.analysis.steady.iterations % unroll == 0


def ladder_run(root: Path, name: str, depth: str) -> Run:
    return run_kernel(root / "kernels" / name, RunOptions(settings={"K": depth}))


@pytest.mark.parametrize("name", ["4wave.yaml", "8wave.yaml", "8wave_pingpong.yaml", "8wave_256.yaml"])
@pytest.mark.parametrize("depth", ["256", "512", "2048"])
def test_no_kernel_of_the_ladder_beats_a_bound(name: str, depth: str, root: Path) -> None:
    run = ladder_run(root, name, depth)
    loop, bounds = run.analysis.loop, run.analysis.bounds
    assert loop is not None
    assert bounds is not None
    assert loop.clk_per_iteration >= max(bounds.named().values())


def test_memory_in_flight_of_the_half_split(root: Path) -> None:
    """32 loads an iteration, 685 clk each at ``stream``, 14 in flight (docs/model §10)."""
    bounds = ladder_run(root, "8wave.yaml", "512").analysis.bounds
    assert bounds is not None
    assert bounds.memory_in_flight == pytest.approx(32 * 685 / 14)
    assert bounds.binding == "memory_in_flight"


def test_a_loop_too_short_for_its_rate_is_held_to_the_bound() -> None:
    """Loads that nobody waits for are still on their way when the last iteration begins."""
    loads = " global_load_dword v9, v1, s[2:3]\n" * 8
    _, analysis = timed(f"loop:\n{loads}{again(2)} s_endpgm\n", 4, latency_clk=2000)
    loop, bounds = analysis.loop, analysis.bounds
    assert loop is not None
    assert bounds is not None
    assert loop.clk_per_iteration == bounds.memory_in_flight
    assert "too few for a steady rate" in analysis.notes[0]


PIECES = (
    "v_mfma_f32_32x32x8_bf16 a[0:15], v[2:3], v[4:5], a[0:15]",
    "v_mfma_f32_16x16x16_bf16 a[16:19], v[2:3], v[4:5], a[16:19]",
    "v_add_u32 v9, v2, v3",
    "v_exp_f32 v10, v3",
    "ds_read_b128 v[12:15], v1",
    "ds_read_b64 v[16:17], v1",
    "ds_read_u8 v18, v1",
    "ds_write_b128 v1, v[20:23]",
    "ds_write_b32 v1, v24",
    "global_load_dwordx4 v[28:31], v1, s[2:3]",
    "global_load_dword v32, v1, s[2:3]",
    "global_store_dwordx2 v1, v[34:35], s[2:3]",
    "s_waitcnt vmcnt(2)",
    "s_waitcnt lgkmcnt(1)",
    "s_waitcnt vmcnt(0) lgkmcnt(0)",
    "s_nop 3",
    "s_setprio 1",
    "s_setprio 0",
    "s_barrier",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.lists(st.sampled_from(PIECES), min_size=1, max_size=14),
    repeat=st.integers(1, 3),
    waves=st.sampled_from((1, 2, 4, 8, 16)),
    count=st.integers(2, 24),
    uneven=st.booleans(),
    arch=st.sampled_from(("gfx942", "gfx950")),
    latency_clk=st.sampled_from((100, 685, 1500)),
)
def test_bounds_bound(
    body: list[str], repeat: int, waves: int, count: int, uneven: bool, arch: str, latency_clk: int
) -> None:
    """What the bounds say of a random loop is at most the time until all its work is done, and at most the
    headline. (``uneven``: every second wave goes round twice as often.)"""
    if uneven:
        body = [each for each in body if each != "s_barrier"]
    text = (
        f" s_movk_i32 s6, {count}\n s_bitcmp1_b32 s5, 6\n s_cselect_b32 s7, {int(uneven)}, 0\n"
        " s_lshl_b32 s6, s6, s7\nloop:\n"
        + " ".join(f"{each}\n" for each in body * repeat)
        + again("s6")
        + " s_endpgm\n"
    )
    timeline, analysis = timed(text, waves, arch, latency_clk)
    loop, bounds = analysis.loop, analysis.bounds
    assert loop is not None
    assert bounds is not None
    (found,) = find_loops(timeline.trace, [len(wave) for wave in timeline.trace.waves])
    passes = find_passes(found, timeline)
    ends = [int(span.end_clk.max()) for span in timeline.busy.values() if len(span.end_clk)]
    done = max(timeline.clk_total, *ends, *(int(wave.done_clk.max()) for wave in timeline.waves))
    whole = (done - int(passes.inside.start[0])) / passes.made
    for name, clk in bounds.named().items():
        assert clk <= whole + 1e-6, (name, clk, whole)
        assert clk <= loop.clk_per_iteration, (name, clk, loop.clk_per_iteration)
