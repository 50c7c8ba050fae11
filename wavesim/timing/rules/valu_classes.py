"""Of two VALU instructions in a slot the opcodes' classes must go together (isa/valu_pairs.csv)."""

from __future__ import annotations

from dataclasses import replace

from wavesim.timing.rule import Rule
from wavesim.trace import Trace
from wavesim.trace.code import SlotShare


def permits(as_first: int, as_second: int) -> bool:
    """Whether the class of the first in rank and that of the other go together."""
    return as_first > 0 and as_second > 0 and as_first + as_second >= 3


def _free(share: SlotShare) -> SlotShare:
    return replace(share, as_first=2 * bool(share.as_first), as_second=2 * bool(share.as_second))


def without(trace: Trace) -> Trace:
    """Every restricted class is free."""
    return replace(trace, code=tuple(replace(entry, share=_free(entry.share)) for entry in trace.code))


RULE = Rule(
    name="valu_classes",
    section=9,
    off="class 1 is class 2",
    evidence="evidence/gfx950.md#which-two-valu",
    trace=without,
)
