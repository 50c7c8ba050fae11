"""Fetch: code arrives in chunks of 32 bytes, a refill behind the wave, and starts anew after a branch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.rule import Rule
from wavesim.timing.rules.instruction_cache import InstructionCache
from wavesim.trace import CodeEntry, Kind, Reason

Int64 = npt.NDArray[np.int64]

RULE = Rule(
    name="fetch",
    section=3,
    off="refill, restart and misses take 0 clk",
    evidence="evidence/fetch.md",
    reasons=(Reason.BRANCH, Reason.FETCH),
    parameters={
        "fetch_refill_clk": 0,
        "fetch_restart_first_clk": 0,
        "fetch_restart_next_clk": 0,
        "fetch_miss_clk": 0,
    },
)


class Chunk(NamedTuple):
    """A chunk is usable from ``usable_clk`` on, which the issue of ``row`` set; ``by_branch``: a branch."""

    usable_clk: int
    row: int
    by_branch: bool


class FetchBuffer:
    """The chunks that a wave waits for or has waited for. Others were there long ago."""

    def __init__(self, p: TimingParameters, cache: InstructionCache) -> None:
        self.p = p
        self.cache = cache
        self.chunks: dict[int, Chunk] = {}

    def touched(self, entry: CodeEntry) -> range:
        """The numbers of the chunks that an instruction's bytes touch."""
        size = self.p.fetch_chunk_bytes
        return range(entry.address // size, (entry.address + entry.size_bytes - 1) // size + 1)

    def needed(self, entry: CodeEntry) -> list[Chunk]:
        """What is known of the chunks that an instruction touches."""
        return [self.chunks[number] for number in self.touched(entry) if number in self.chunks]

    def usable_clk(self, entry: CodeEntry) -> tuple[int, int]:
        """When the chunks that a branch restarted are usable, and when all are, of an instruction."""
        needed = self.needed(entry)
        restarted = max((chunk.usable_clk for chunk in needed if chunk.by_branch), default=0)
        return restarted, max((chunk.usable_clk for chunk in needed), default=0)

    def issued(self, entry: CodeEntry, following: CodeEntry, taken: bool, row: int, now: int) -> None:
        """``entry`` issues at ``now`` as row ``row``, and ``following`` is the next one of the stream."""
        p = self.p
        target = self.touched(following)[0]
        if taken:
            self.chunks = self.restarted(target, row, now)
        elif entry.kind is Kind.COND_BRANCH:
            last = self.touched(entry)[-1]
            here = {last: self.chunks[last]} if last in self.chunks else {}
            self.chunks = {**here, **self.restarted(last + 1, row, now)}
        else:
            for number in self.touched(entry):
                if number < target:  # left behind: its room takes the chunk after the next
                    self.chunks.pop(number, None)
                    if number + 2 not in self.chunks:
                        usable_clk = max(now + p.fetch_refill_clk, self.cache.comes_clk(number + 2, now))
                        self.chunks[number + 2] = Chunk(usable_clk, row, by_branch=False)

    def restarted(self, number: int, row: int, now: int) -> dict[int, Chunk]:
        """The chunks that a branch asks for at ``now``: ``number`` and the next one."""
        restart_clk = (self.p.fetch_restart_first_clk, self.p.fetch_restart_next_clk)
        return {
            chunk: Chunk(max(now + clk, self.cache.comes_clk(chunk, now)), row, by_branch=True)
            for chunk, clk in enumerate(restart_clk, number)
        }


def jumps(entry: CodeEntry, taken: bool) -> bool:
    """Whether the wave goes on at a branch's target; ``taken`` is the Trace's, of conditional branches."""
    return entry.kind is Kind.BRANCH or (entry.kind is Kind.COND_BRANCH and taken)


def restart_stall_clk(p: TimingParameters, idle_clk: Int64) -> Int64:
    """How long fetch keeps an s_waitcnt or s_barrier at a branch's target that was attempted ``idle_clk``
    after the branch ended: their attempt does not wait for their bytes."""
    return p.fetch_restart_first_clk - p.issue_slot_clk - idle_clk
