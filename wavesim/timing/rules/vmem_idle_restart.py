"""The global-memory path restarts after a long pause."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_idle_restart",
    section=10,
    off="the restart takes 0 clk",
    evidence="evidence/memory.md#restart-after-a-pause",
    parameters={"memory_idle_restart_clk": 0},
)
