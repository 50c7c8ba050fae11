"""A store returns no data: its return keeps less far from the one before."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="vmem_acknowledge",
    section=10,
    off="a store's return takes as long as its data",
    evidence="evidence/gfx950.md#stores",
    parameters={"memory_acknowledge_clk": UNLIMITED},
)
