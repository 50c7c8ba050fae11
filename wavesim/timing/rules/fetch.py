"""Fetch: code arrives in chunks, and starts anew after a branch."""

from __future__ import annotations

from wavesim.timing.rule import Rule
from wavesim.trace import Reason

RULE = Rule(
    name="fetch",
    section=3,
    off="refill and restart take 0 clk",
    evidence="M3",
    reasons=(
        Reason.BRANCH,
        Reason.FETCH,
    ),
    parameters={"fetch_refill_clk": 0, "fetch_restart_first_clk": 0, "fetch_restart_next_clk": 0},
)
