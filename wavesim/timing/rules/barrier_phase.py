"""A barrier lets SIMDs behind the last arriver's go one slot before the others."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule

RULE = Rule(
    name="barrier_phase",
    section=8,
    off="all waves leave at last arrival + `barrier.release_early_clk`",
    evidence="evidence/barrier.md#release",
    parameters={"barrier_release_late_clk": lambda given: given.barrier_release_early_clk},
)


def place(p: TimingParameters, simd: int) -> int:
    """A SIMD's place in the order of release. Of arrivals in one clock the latest place is last."""
    return p.barrier_simd_order.index(simd)


def release_clk(p: TimingParameters, place: int, last_clk: int, last_place: int) -> int:
    """When a wave of a SIMD at ``place`` ends its s_barrier; the last to arrive did so at ``last_clk``."""
    early = place > last_place
    return last_clk + (p.barrier_release_early_clk if early else p.barrier_release_late_clk)
