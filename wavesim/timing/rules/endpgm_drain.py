"""A wave ends when its global memory has returned."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="endpgm_drain",
    section=9,
    off="`s_endpgm` ends at issue + 4",
    evidence="replay_notes.md",
    in_engine=True,
)
