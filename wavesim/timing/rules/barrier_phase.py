"""A barrier lets SIMDs behind the last arriver's go one slot before the others."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="barrier_phase",
    section=8,
    off="all waves leave at last arrival + `barrier.release_early_clk`",
    evidence="evidence/barrier.md#release",
    parameters={"barrier_release_late_clk": lambda given: given.barrier_release_early_clk},
)
