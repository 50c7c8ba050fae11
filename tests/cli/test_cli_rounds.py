"""``--rounds``: workgroups that follow one another on the compute unit, and the figures that come of it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.cli.main import cli
from wavesim.errors import LimitExceeded
from wavesim.front.occupancy import followed
from wavesim.pipeline.run import SHORT_ROUNDS, Run, RunOptions, run_kernel
from wavesim.trace import FOLLOWS

KERNELS = Path(__file__).parents[2] / "kernels"
SHORTER = {"K": "2048"}


@cache
def scale(rounds: int | None, device: str = "MI355X", **settings: str) -> Run:
    """The elementwise kernel."""
    options = RunOptions(arch=device, rounds=rounds, settings=settings, engine="both")
    return run_kernel(KERNELS / "hip" / "scale.hip", options)


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, ["run", *words, "--ascii"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_workgroups_of_a_short_kernel_follow_one_another() -> None:
    """Eight of four waves fit; the others are there when they have ended, never more than eight at a time."""
    found = scale(None)
    following = found.analysis.following
    assert following is not None
    assert (following.together, following.workgroups) == (8, 8 * SHORT_ROUNDS)
    waves = found.timeline.waves
    for wave in waves:
        there = [each for each in waves if each.first_clk <= wave.first_clk < each.last_clk]
        assert sum(each.simd == wave.simd for each in there) <= 8


def test_the_rate_is_that_of_more_rounds() -> None:
    """Four rounds show what the whole launch takes, which has eight: 64 workgroups for each compute unit."""
    four, all_of_it = scale(4).analysis.following, scale(8).analysis
    assert four is not None
    assert all_of_it.following is not None
    assert all_of_it.following.workgroups == 64
    assert four.clk_per_workgroup == pytest.approx(all_of_it.following.clk_per_workgroup, rel=0.03)
    clk = scale(4).analysis.clk_total + (64 - 32) * four.clk_per_workgroup
    assert clk == pytest.approx(all_of_it.clk_total, rel=0.03)


def test_bytes_a_second_are_what_memory_gives_at_most() -> None:
    """8 KiB a workgroup, of which each byte comes from or goes to memory: it is what limits."""
    found = scale(None).analysis.bandwidth
    assert found is not None
    assert found.bytes_per_workgroup == 2 * 4 * 1024
    assert found.memory_gbytes_per_s is not None
    assert 0.9 < found.gbytes_per_s / found.memory_gbytes_per_s < 1.05
    assert found.gbytes_per_s_with_tail is not None
    assert found.gbytes_per_s_with_tail < found.gbytes_per_s
    assert scale(1).analysis.bandwidth is not None


def test_a_launch_without_more_has_no_followers() -> None:
    """2048 workgroups are 8 for each of 256 compute units, which all fit."""
    found = scale(4, ROWS="2048")
    assert found.analysis.following is None
    assert all(wave.start_clk != FOLLOWS for wave in found.timeline.trace.waves)


def test_later_workgroups_find_arguments_and_code_in_the_caches() -> None:
    """Only the first ones wait for cold scalar loads (550 clk; hot ones 40)."""
    found = scale(4)
    cold = found.machine.integer("scalar.cold_latency_clk")
    for trace, wave in zip(found.timeline.trace.waves, found.timeline.waves, strict=True):
        waited = (trace.memory_latency_clk == cold).any()
        assert waited == (trace.start_clk != FOLLOWS), wave.workgroup


def test_a_gemm_is_one_round_and_may_be_more() -> None:
    """clk/iteration is of the first round, whatever follows."""
    options = RunOptions(settings=SHORTER, engine="compiled")
    one = run_kernel(KERNELS / "8wave.yaml", options).analysis
    assert one.following is None
    two = run_kernel(KERNELS / "8wave.yaml", RunOptions(settings=SHORTER, rounds=2)).analysis
    assert two.following is not None
    assert (two.following.together, two.following.workgroups) == (1, 2)
    assert one.loop is not None
    assert two.loop is not None
    assert two.loop.wave_clk_per_iteration == one.loop.wave_clk_per_iteration
    assert two.throughput is not None
    per = two.throughput.workgroups // two.throughput.cus + (
        two.throughput.workgroups % two.throughput.cus > 0
    )
    clk = two.clk_total + (per - 2) * two.following.clk_per_workgroup
    flop = two.throughput.flop / 2 * two.throughput.workgroups
    ghz = two.throughput.clock.ghz
    assert two.throughput.tflops_with_tail == pytest.approx(flop / clk * ghz / 1e3)


def test_the_first_screen_says_the_rate() -> None:
    text = run(str(KERNELS / "hip" / "scale.hip"), "--arch", "MI355X")
    assert "GB/s at 2.4 GHz" in text
    assert "clk a workgroup" in text
    assert "of what is possible" in text
    assert text.count("slot") == 32  # a lane for each slot, not for each wave
    figures = json.loads(run(str(KERNELS / "hip" / "scale.hip"), "--arch", "MI355X", "--json"))
    following, bandwidth = scale(None).analysis.following, scale(None).analysis.bandwidth
    assert following is not None
    assert bandwidth is not None
    assert figures["clk_per_workgroup"] == following.clk_per_workgroup
    assert figures["gbytes_per_s"] == bandwidth.gbytes_per_s


def test_too_many_waves_are_refused() -> None:
    found = scale(1)
    large = replace(found.kernel, launch=replace(found.kernel.launch, grid=(1 << 20, 1, 1)))
    with pytest.raises(LimitExceeded, match="1024 waves"):
        followed(large, found.machine, 40)
