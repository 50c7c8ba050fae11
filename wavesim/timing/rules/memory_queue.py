"""The queue of the global-memory path holds so many instructions until they are accepted."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="memory_queue",
    section=10,
    off="the queue has entries without limit",
    evidence="evidence/memory.md#queue",
    parameters={"memory_queue_entries": UNLIMITED},
)
