"""A read that finds its pair idle while the other pair streams is served some clocks later."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_join",
    section=6,
    off="the delay is 0",
    evidence="evidence/lds.md#join",
    parameters={"lds_join_most_clk": 0, "lds_join_clk": 0},
)
