"""Two VALU instructions in a slot read each bank of VGPRs, the even or the odd ones, four times at most."""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import UNLIMITED, Rule
from wavesim.trace.code import SlotShare


def permits(first: SlotShare, second: SlotShare, p: TimingParameters) -> bool:
    """Whether the banks serve both; the second's first source cannot be a bank's last read."""
    reads = p.issue_bank_reads_per_slot
    if first.even_reads + second.even_reads > reads or first.odd_reads + second.odd_reads > reads:
        return False
    even_is_last = second.first_even and first.even_reads >= reads - 1
    odd_is_last = second.first_odd and first.odd_reads >= reads - 1
    return not even_is_last and not odd_is_last


RULE = Rule(
    name="valu_banks",
    section=9,
    off="`issue.bank_reads_per_slot` has no limit",
    evidence="evidence/gfx950.md#which-two-valu",
    parameters={"issue_bank_reads_per_slot": UNLIMITED},
)
