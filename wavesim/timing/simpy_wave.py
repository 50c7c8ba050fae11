"""A wave's state in the SimPy engine: position, fetch buffer, counters, and what its clocks went to."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.ops import AGES, BRANCH, INTERNAL, LDS, SCALAR, VMEM, Op
from wavesim.timing.simpy_stream import CodeColumns, Stream
from wavesim.trace import Kind, Reason, Spin, WaveTrace

if TYPE_CHECKING:
    from wavesim.timing.simpy_ahead import Ahead
    from wavesim.timing.simpy_simd import Simd

LONG_AGO = -(1 << 60)
NO_REASON = -1
"""In ``Wave.stalls``: nothing to wait for from here on."""
UNKNOWN_CLK = 1 << 60
"""A time that some event will make known."""


class Access:
    """An outstanding memory operation: ``ret`` is its return clock, ``UNKNOWN_CLK`` until served."""

    __slots__ = ("array", "count", "issue", "latency", "port", "queue_free", "ret", "row", "wave")

    def __init__(
        self, wave: Wave, issue: int, count: int, ret: int, port: int = 0, array: int = 0, latency: int = 0
    ) -> None:
        self.wave = wave
        self.row = wave.row
        self.issue = issue
        self.count = count
        self.ret = ret
        self.queue_free = UNKNOWN_CLK
        self.port = port
        self.array = array
        self.latency = latency


class Wave:
    """Waves are state, not processes: arbiters read and change them."""

    def __init__(
        self, position: int, trace: WaveTrace, ops: list[Op], columns: CodeColumns, p: TimingParameters
    ) -> None:
        slot = p.issue_slot_clk
        self.position = position
        self.trace = trace
        self.p = p
        self.code = [ops[index] for index in trace.code.tolist()]
        self.taken = trace.taken.tolist()
        self.array_clk = trace.array_clk.tolist()
        self.memory_bytes = trace.memory_bytes.tolist()
        self.memory_latency = trace.memory_latency_clk.tolist()
        self.spin_of_last = {spin.last: number for number, spin in enumerate(trace.spins)}
        self.spin_repeats = [0] * len(trace.spins)
        self.spinning: Spin | None = None  # the polling loop whose last pass found nothing
        count = len(self.code)
        self.length = count
        self.op: Op  # of row: what it does next
        if count:
            self.op = self.code[0]
        self.stream = Stream(trace, columns, p)
        self.step, self.batch = self.stream.step, self.stream.batch
        self.simd: Simd
        self.ahead: Ahead
        self.row = 0
        self.start_clk = -(-trace.start_clk // slot) * slot
        self.finish_clk = -1
        self.priority = 0
        self.rank = self.age = AGES - 1 - position if "oldest_first" in p.rules_off else position
        never = array("q", [-1]) * count  # arrays: a list would keep every clock as an object of its own
        self.attempt = never[:]
        self.issue = never[:]
        self.end = never[:]
        self.done = never  # of what returns something
        self.stalls: list[tuple[int, int, int]] = []  # (row, reason, from_clk): until the next, or issue
        self.stalled_for = -1
        self.ready_clk = self.start_clk
        self.seen_clk = -1  # the slot in which it was tested last
        self.lgkm: list[Access] = []
        self.lgkm_entries = p.counter_lgkm_max  # fewer accesses do not fill the counter for an LDS access
        self.vm: list[Access] = []
        self.last_valu = self.last_valu_sgpr = self.last_salu = LONG_AGO
        self.sgpr_written: dict[int, int] = {}
        self.vm_return = 0  # of all its global memory
        self.vm_not_before = 0  # the path's restart, for this instruction (§10)
        self.arrival_clk = -1
        self.release_clk = -1
        self.chunk_ready: dict[int, int] = {}
        self.branch_chunks: dict[int, int] = {}
        if count:
            first = self.code[0].first_chunk
            self.chunk_ready = {first: self.start_clk, first + 1: self.start_clk}

    # -- what clocks went to

    def stop_stalling(self, now: int) -> None:
        """Time ends while the wave waits."""
        if self.stalled_for >= 0:
            self.stalls.append((self.row, NO_REASON, now))
            self.stalled_for = -1

    def stall_clocks(self) -> npt.NDArray[np.int32]:
        """(row, reason, clocks) of all stalls, in order; the clocks up to the next, or to the row's issue."""
        flat = np.fromiter(chain.from_iterable(self.stalls), np.int64, 3 * len(self.stalls)).reshape(-1, 3)
        row, reason, begin = flat[:, 0], flat[:, 1], flat[:, 2]
        until = np.array(self.issue, np.int64)[row] if len(row) else row
        until[:-1] = np.where(row[1:] == row[:-1], begin[1:], until[:-1])
        kept = (until > begin) & (reason != NO_REASON)
        row, reason, clocks = row[kept], reason[kept], (until - begin)[kept]
        other = np.ones(len(row), np.bool_)
        other[1:] = (row[1:] != row[:-1]) | (reason[1:] != reason[:-1])
        starts = np.flatnonzero(other)
        total = np.add.reduceat(clocks, starts) if len(starts) else clocks
        return np.stack([row[starts], reason[starts], total], axis=1).astype(np.int32)

    def stalls_of_row(self) -> Iterator[tuple[int, int]]:
        """(reason, from_clk) of what the next instruction has waited for, the latest first."""
        for row, reason, clk in reversed(self.stalls):
            if row != self.row:
                return
            yield reason, clk

    def set_priority(self, priority: int) -> None:
        """``s_setprio``: ranks are by priority, then what it issues, then age."""
        self.priority = priority
        self.rank = self.age - 2 * AGES * priority

    # -- from one instruction to the next

    def enter(self, free_clk: int) -> None:
        """The wave may attempt instruction ``row`` from ``free_clk``: books restart, fetch and gaps, whose
        ends are known, and sets ``ready_clk``, the slot of the first attempt."""
        op = self.code[self.row]
        now = free_clk
        chunks = self.chunk_ready
        late = max(chunks.get(op.first_chunk, 0), chunks.get(op.last_chunk, 0))
        if late > now:
            restart = 0
            for chunk in (op.first_chunk, op.last_chunk):
                if chunk in self.branch_chunks:
                    restart = max(restart, self.branch_chunks[chunk])
            now = self._wait_until(now, restart, Reason.BRANCH)
            now = self._wait_until(now, late, Reason.FETCH)
        category = op.category
        if category != INTERNAL:
            need = LONG_AGO
            if category in (LDS, VMEM):
                need = self.last_valu + self.p.gap_valu_to_memory_clk
                if category == VMEM and self.sgpr_written:
                    gap = self.p.gap_salu_to_vmem_clk
                    for register in op.sgpr_reads:
                        written = self.sgpr_written.get(register)
                        if written is not None and written + gap > need:
                            need = written + gap
            elif category in (SCALAR, BRANCH):
                need = self.last_valu_sgpr + self.p.gap_valu_sgpr_to_scalar_clk
                if op.conditional:
                    need = max(need, self.last_salu + self.p.gap_salu_to_cbranch_clk)
            now = self._wait_until(now, need, Reason.DEPENDENCY)
        if op.kind is Kind.WAIT or op.kind is Kind.BARRIER:
            self.attempt[self.row] = free_clk
        else:
            self.attempt[self.row] = now
        self.ready_clk = now

    def _wait_until(self, now: int, until: int, reason: Reason) -> int:
        if until <= now:
            return now
        slot = self.p.issue_slot_clk
        until = -(-until // slot) * slot
        self.stalls.append((self.row, int(reason), now))
        return until

    def fetch_after(self, op: Op, following: Op, jumped: bool, now: int) -> None:
        """Fetch bookkeeping (§3) when ``op`` has issued at ``now`` and ``following`` comes next."""
        chunks = self.chunk_ready
        p = self.p
        if jumped:
            first = following.first_chunk
            chunks.clear()
            chunks[first] = now + p.fetch_restart_first_clk
            chunks[first + 1] = now + p.fetch_restart_next_clk
            self.branch_chunks = dict(chunks)
            return
        if op.conditional:
            last = op.last_chunk
            here = chunks.get(last, now)
            chunks.clear()
            chunks[last] = here
            self.branch_chunks = {
                last + 1: now + p.fetch_restart_first_clk,
                last + 2: now + p.fetch_restart_next_clk,
            }
            chunks.update(self.branch_chunks)
            return
        for chunk in range(op.first_chunk, min(op.last_chunk + 1, following.first_chunk)):
            if chunk + 2 not in chunks:
                chunks[chunk + 2] = now + p.fetch_refill_clk
                chunks.pop(chunk, None)

    def next_chunk(self, op: Op, following: Op, now: int, end: int) -> None:
        """Enter ``following``, to which no gap can apply, after ``op``, which issued at ``now``."""
        chunks = self.chunk_ready
        first = following.first_chunk
        chunk = op.first_chunk
        if first == chunk + 1:
            ahead = chunk + 2
            if ahead not in chunks:
                chunks[ahead] = now + self.p.fetch_refill_clk
                chunks.pop(chunk, None)
        elif first != chunk:
            self.fetch_after(op, following, False, now)
        if chunks.get(first, 0) <= end and chunks.get(following.last_chunk, 0) <= end:
            self.attempt[self.row] = self.ready_clk = end
        else:
            self.enter(end)

    # -- counters

    def outstanding(self, queue: list[Access], now: int) -> int:
        """Counter value at ``now``; returned accesses are forgotten."""
        total = 0
        returned = False
        for access in queue:
            if access.ret > now:
                total += access.count
            else:
                returned = True
        if returned:
            queue[:] = [access for access in queue if access.ret > now]
            if not queue and queue is self.lgkm:
                self.lgkm_entries = self.p.counter_lgkm_max
        return total

    def clk_when_at_most(self, queue: list[Access], count: int) -> int:
        """When the counter falls to ``count``; ``UNKNOWN_CLK`` where an access is still to be served."""
        total = sum(access.count for access in queue)
        for access in sorted(queue, key=_return_clk):
            total -= access.count
            if total <= count:
                return access.ret
        return LONG_AGO


def _return_clk(access: Access) -> int:
    return access.ret
