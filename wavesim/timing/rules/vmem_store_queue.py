"""The queue of the global-memory path holds only so much data of stores."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="vmem_store_queue",
    section=10,
    off="a store takes an entry of the queue and nothing else",
    evidence="evidence/gfx950.md#stores",
    parameters={"memory_store_queue_bytes": 1024 * UNLIMITED},
)
