"""The queue of a SIMD pair holds so many LDS instructions until some clocks after they are done."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule
from wavesim.trace import Reason

RULE = Rule(
    name="lds_queue",
    section=6,
    off="the queue has entries without limit",
    evidence="evidence/lds.md#depth-of-the-queue",
    reasons=(Reason.LDS_QUEUE,),
    parameters={"lds_queue_entries": UNLIMITED},
)
