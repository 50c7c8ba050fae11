"""The data of an LDS write holds its wave and the port of its pair."""

from __future__ import annotations

from wavesim.timing.rule import Rule, every

RULE = Rule(
    name="lds_write_hold",
    section=6,
    off="a write holds wave and pair 4 clk",
    evidence="evidence/lds.md#writes",
    parameters={"lds_write_hold_clk": every("lds_write_hold_clk", 4)},
)
