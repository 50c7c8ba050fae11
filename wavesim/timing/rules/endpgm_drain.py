"""A wave ends when its global memory has returned."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="endpgm_drain",
    section=9,
    off="`s_endpgm` ends 4 clk after its issue",
    evidence="replay notes",
    in_engine=True,
)
