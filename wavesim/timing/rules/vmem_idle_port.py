"""A global-memory port that was idle takes the request that has stood there longest."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_idle_port",
    section=11,
    off="an idle port counts as a busy one: cyclic from last + 1, at the beginning 0",
    evidence="replay_notes.md",
    in_engine=True,
)
