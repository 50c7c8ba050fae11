"""A store of global memory waits until the data of the store before have left their registers."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="vmem_store_data",
    section=10,
    off="a store issues as a load does",
    evidence="evidence/gfx950.md#stores",
    in_engine=True,
)
