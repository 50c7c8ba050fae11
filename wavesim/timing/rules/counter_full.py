"""An instruction does not issue while its counter cannot count it."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule
from wavesim.trace import Reason

RULE = Rule(
    name="counter_full",
    section=7,
    off="counters have no limit",
    evidence="evidence/facts.md#counters",
    reasons=(Reason.COUNTER_FULL,),
    parameters={"counter_lgkm_max": UNLIMITED, "counter_vm_max": UNLIMITED},
)
