"""So many bytes are in flight beyond the queue: an access is accepted when earlier ones have returned."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="memory_in_flight",
    section=10,
    off="accesses are in flight without limit",
    evidence="evidence/memory.md#in-flight",
    parameters={
        "memory_tail_entries": UNLIMITED,
        "memory_tail_bytes": 1024 * UNLIMITED,
        "memory_to_lds_held_bytes": 0,
    },
)
