"""The LDS port of a SIMD pair moves so many bytes of reads per clock."""

from __future__ import annotations

from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.opcode_info import DWORD_BYTES
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import UNLIMITED, Rule
from wavesim.trace import CodeEntry

LEAST_CLK = 4

RULE = Rule(
    name="lds_port",
    section=6,
    off="every read takes 4 clk of the port, whatever its width; the bank array alone serves",
    evidence="evidence/lds.md#one-queue-per-pair",
    parameters={"lds_port_bytes_per_clk": UNLIMITED},
)


def port_clk(p: TimingParameters, entry: CodeEntry) -> int:
    """Clocks of its pair's port that an LDS instruction takes."""
    if entry.kind is Kind.LDS_WRITE:
        return hold_clk(p, entry)
    width = max(DWORD_BYTES, entry.width_bytes)
    return max(LEAST_CLK, LANES * width // p.lds_port_bytes_per_clk, hold_clk(p, entry))


def hold_clk(p: TimingParameters, entry: CodeEntry) -> int:
    """Clocks for which an LDS instruction holds its wave, and, if it sends data, its pair's issue."""
    sent = entry.data_bytes
    return p.write_clk(p.lds_write_hold_clk, sent) if sent else p.issue_slot_clk


def latency_clk(p: TimingParameters, entry: CodeEntry) -> int:
    """Clocks from the end of an LDS instruction's service until its counter drops."""
    sent = entry.data_bytes
    return p.write_clk(p.lds_write_latency_clk, sent) if sent else p.lds_read_latency_clk
