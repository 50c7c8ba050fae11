"""A scaled MFMA ranks before older waves' instructions of the same priority."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="scaled_mfma_first",
    section=11,
    off="a scaled MFMA ranks by age like anything else",
    evidence="evidence/gfx950.md#scaled-mfma-first",
    in_engine=True,
)
