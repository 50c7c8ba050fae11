"""Code that nobody has fetched yet comes late: lines, fetched ahead up to the end of their page of memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule
from wavesim.trace import Trace

Int64 = npt.NDArray[np.int64]

RULE = Rule(
    name="instruction_cache",
    section=3,
    off="all code is in the cache",
    evidence="evidence/fetch.md#instruction-cache",
    parameters={"fetch_miss_clk": 0},
)


def held_lines(p: TimingParameters) -> int:
    """Lines that the cache holds of one compute unit's code: its part of a cache that units share."""
    return max(1, p.fetch_icache_bytes // p.fetch_icache_units // p.fetch_icache_line_bytes)


def code_lines(trace: Trace, p: TimingParameters) -> Int64:
    """Numbers of the lines that hold the trace's code, ascending; none where no line can be missing."""
    address = np.array([entry.address for entry in trace.code], np.int64)
    size = np.array([entry.size_bytes for entry in trace.code], np.int64)
    return lines_at(address, size, p, cold=trace.cold_code)


def lines_at(address: Int64, size: Int64, p: TimingParameters, *, cold: bool) -> Int64:
    """The same for instructions that stand at addresses and have sizes, in bytes."""
    bytes_ = p.fetch_icache_line_bytes
    if p.fetch_miss_clk <= 0:
        return address[:0]
    lines: Int64 = np.unique(np.concatenate([address // bytes_, (address + size - 1) // bytes_]))
    return lines if cold or len(lines) > held_lines(p) else lines[:0]


def page_offset_lines(trace: Trace, p: TimingParameters) -> int:
    """Lines of its page before address 0: a measured trace has the addresses, another counts from its
    kernel's start."""
    measured = trace.provenance == "measured"
    return 0 if measured else p.fetch_code_offset_bytes // p.fetch_icache_line_bytes


class InstructionCache:
    """The lines that the compute unit's waves have asked for. What it says does not depend on the order in
    which they ask in one clock."""

    def __init__(self, trace: Trace, p: TimingParameters) -> None:
        self.p = p
        self.lines = frozenset(code_lines(trace, p).tolist())
        self.room = held_lines(p)
        self.offset = page_offset_lines(trace, p)
        self.asked: dict[int, tuple[int, int]] = {}  # by line: requests before its clock; when it comes
        self.requests = 0
        self.latest_clk = -1
        self.requests_before = 0  # the latest clock
        for wave in trace.waves:
            if self.lines and len(wave):
                self._use(self._line(trace.code[wave.code[0]].address // p.fetch_chunk_bytes), 0)

    def comes_clk(self, chunk: int, now: int) -> int:
        """When the line of a chunk that fetch asks for at ``now`` is there: not after ``now`` on a hit."""
        if not self.lines:
            return now
        if now > self.latest_clk:
            self.latest_clk, self.requests_before = now, self.requests
        line = self._line(chunk)
        self._use(line, now + self.p.fetch_miss_clk)
        return self.asked[line][1] if line in self.asked else now

    def _line(self, chunk: int) -> int:
        return chunk // max(1, self.p.fetch_icache_line_bytes // self.p.fetch_chunk_bytes)

    def _use(self, line: int, comes_clk: int) -> None:
        """Ask for a line and those ahead of it on its page that are missing; they come together."""
        p = self.p
        per_page = max(1, p.fetch_page_bytes // p.fetch_icache_line_bytes)
        to_page_end = per_page - 1 - (line + self.offset) % per_page
        ahead = min(p.fetch_prefetch_bytes // p.fetch_icache_line_bytes, to_page_end)
        for number in range(line, line + ahead + 1):
            known = self.asked.get(number)
            missing = known is None or self.requests_before - known[0] > self.room
            if missing and number in self.lines:
                self.asked[number] = (self.requests_before, comes_clk)
                self.requests += 1
