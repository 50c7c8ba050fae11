"""The queue of the global-memory path holds so many instructions until they are accepted."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="memory_queue",
    section=10,
    off="no limit of queue entries",
    evidence="M1",
    parameters={"memory_queue_entries": UNLIMITED},
)
