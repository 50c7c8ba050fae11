"""Two VALU instructions in a slot do not both read, nor both write, an SGPR or VCC."""

from __future__ import annotations

from dataclasses import replace

from wavesim.timing.rule import Rule
from wavesim.trace import Trace
from wavesim.trace.code import SlotShare


def permits(first: SlotShare, second: SlotShare) -> bool:
    """Whether the ports for scalars serve both."""
    both_read = first.scalar_read and second.scalar_read
    both_write = first.scalar_write and second.scalar_write
    return not both_read and not both_write


def without(trace: Trace) -> Trace:
    """No VALU instruction needs a port for scalars."""
    return replace(
        trace,
        code=tuple(
            replace(entry, share=replace(entry.share, scalar_read=False, scalar_write=False))
            for entry in trace.code
        ),
    )


RULE = Rule(
    name="valu_scalar_port",
    section=9,
    off="any number of SGPRs is read and written",
    evidence="evidence/gfx950.md#which-two-valu",
    trace=without,
)
