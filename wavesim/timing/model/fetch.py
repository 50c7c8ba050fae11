"""Instruction fetch (docs/model §3): which 32-byte chunks of code a wave has, and from when."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import CodeEntry, Kind


@dataclass(slots=True)
class Chunk:
    """Usable from ``usable_clk``; ``by_branch``: a branch set that time."""

    usable_clk: int
    by_branch: bool = False


class FetchBuffer:
    """The chunks that a wave has or will have. Those it does not know of were there long ago."""

    def __init__(self, p: TimingParameters, first: CodeEntry, start_clk: int) -> None:
        self.p = p
        chunk = self.touched(first)[0]
        self.chunks = {chunk: Chunk(start_clk), chunk + 1: Chunk(start_clk)}

    def touched(self, entry: CodeEntry) -> range:
        """The numbers of the chunks that an instruction's bytes touch."""
        size = self.p.fetch_chunk_bytes
        return range(entry.address // size, (entry.address + entry.size_bytes - 1) // size + 1)

    def usable_clk(self, entry: CodeEntry) -> tuple[int, int]:
        """When the chunks that a branch restarted are usable, and when all are, of an instruction."""
        needed = [self.chunks[number] for number in self.touched(entry) if number in self.chunks]
        restarted = max((chunk.usable_clk for chunk in needed if chunk.by_branch), default=0)
        return restarted, max((chunk.usable_clk for chunk in needed), default=0)

    def issued(self, entry: CodeEntry, following: CodeEntry, taken: bool, now: int) -> None:
        """``entry`` issues at ``now``, and ``following`` is the next instruction of the stream."""
        p = self.p
        first = Chunk(now + p.fetch_restart_first_clk, by_branch=True)
        after = Chunk(now + p.fetch_restart_next_clk, by_branch=True)
        target = self.touched(following)[0]
        if taken:
            self.chunks = {target: first, target + 1: after}
        elif entry.kind is Kind.COND_BRANCH:
            last = self.touched(entry)[-1]
            here = self.chunks.get(last, Chunk(now))
            self.chunks = {last: here, last + 1: first, last + 2: after}
        else:
            for number in self.touched(entry):
                if number < target:  # left behind: its room takes the chunk after the next
                    self.chunks.setdefault(number + 2, Chunk(now + p.fetch_refill_clk))
