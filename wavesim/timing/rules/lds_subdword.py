"""A read of less than a dword takes the bank array for longer than a dword's, and is done later."""

from __future__ import annotations

from wavesim.isa.kinds import Kind
from wavesim.isa.opcode_info import DWORD_BYTES
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule
from wavesim.trace import CodeEntry

RULE = Rule(
    name="lds_subdword",
    section=6,
    off="such a read is as a dword's",
    evidence="evidence/lds.md#gfx950-narrow-reads",
    parameters={"lds_subdword_clk": 0},
)


def subdword_clk(p: TimingParameters, entry: CodeEntry) -> int:
    """Least clocks of the array, and clocks from the end of service until an LDS instruction is done."""
    narrow = entry.kind is Kind.LDS_READ and entry.width_bytes < DWORD_BYTES
    return p.lds_subdword_clk if narrow else 0
