"""The data of a write that finds its pair idle leaves no faster than the bank array takes it."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_write_drain",
    section=6,
    off="a write never holds longer than `lds.write_hold_clk`",
    evidence="evidence/lds.md#writes",
    in_engine=True,
)
