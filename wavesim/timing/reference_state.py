"""A wave of the clock-stepped reference: fetch buffer (§3), gaps (§4), counters (§7), clocks booked."""

from __future__ import annotations

import numpy as np

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import BusySpan, Category, CodeEntry, Kind, Reason, Spin, Trace, WaveTimeline, WaveTrace
from wavesim.trace.code import SGPR_EXEC

NEVER = 1 << 60
LONG_AGO = -NEVER
LANES = 64

Outstanding = list[tuple[list[int], int]]
"""Accesses that a counter counts: ([return clock], increment); NEVER until the return is known."""


class Spans:
    """Uses of the shared resources, for :attr:`Timeline.busy`."""

    def __init__(self) -> None:
        self.uses: dict[tuple[str, int], list[tuple[int, int, int, int]]] = {}

    def add(self, name: str, number: int, start: int, end: int, wave: Wave, row: int) -> None:
        """One use, in [start, end) clk."""
        self.uses.setdefault((name, number), []).append((start, wave.position, row, end))

    def busy(self) -> dict[tuple[str, int], BusySpan]:
        """By resource, in order of start."""
        spans = {}
        for name, uses in sorted(self.uses.items()):
            start, wave, row, end = np.array(sorted(uses), np.int64).T
            spans[name] = BusySpan(start.copy(), end.copy(), wave.astype(np.int32), row.astype(np.int32))
        return spans


class Wave:
    """Where a wave stands. ``free_clk`` is *E* of §2."""

    def __init__(self, position: int, wave: WaveTrace, trace: Trace, p: TimingParameters) -> None:
        self.position = position
        self.trace = wave
        self.p = p
        self.code: list[CodeEntry] = [trace.code[index] for index in wave.code.tolist()]
        self.start_clk = self.free_clk = -(-wave.start_clk // p.issue_slot_clk) * p.issue_slot_clk
        self.row = 0
        self.priority = 0
        self.finish_clk: int | None = None
        self.has_ended = False  # by s_endpgm: barriers no longer expect it
        rows = len(self.code)
        self.attempt, self.issue, self.end, self.done = ([-1] * rows for _ in range(4))
        self.stalls: list[list[int]] = []  # [row, reason, clocks]
        self.lgkm: Outstanding = []
        self.vm: Outstanding = []
        self.last_return = LONG_AGO  # of its global memory
        self.vmem_from_clk = LONG_AGO  # the next VMEM instruction is no candidate before (§10)
        self.last_valu = self.last_valu_sgpr = self.last_salu = LONG_AGO
        self.sgpr_written: dict[int, int] = {}
        self.arrival_clk: int | None = None
        self.release_clk: int | None = None
        self.spins = {spin.last: number for number, spin in enumerate(wave.spins)}
        self.spin_repeats = [0] * len(wave.spins)
        self.polling: Spin | None = None
        self.is_stopped = False  # polls for what can never happen
        self.chunks: dict[int, tuple[int, Reason]] = {}  # chunk: (usable from, what waiting for it is)
        if rows:
            first = self._chunks_of(self.code[0])[0]
            self.chunks = dict.fromkeys((first, first + 1), (self.start_clk, Reason.FETCH))
        else:
            self.finish_clk = self.start_clk
            self.has_ended = True

    @property
    def entry(self) -> CodeEntry:
        """The next instruction."""
        return self.code[self.row]

    @property
    def waits_for_others(self) -> bool:
        """Whether it stands at a barrier that is not complete."""
        return self.arrival_clk is not None and self.release_clk is None

    # -- fetch (§3)

    def _chunks_of(self, entry: CodeEntry) -> range:
        size = self.p.fetch_chunk_bytes
        return range(entry.address // size, (entry.address + entry.size_bytes - 1) // size + 1)

    def usable_clk(self) -> list[int]:
        """When each chunk of the next instruction is usable, as far as that is set."""
        return [self.chunks[chunk][0] for chunk in self._chunks_of(self.entry) if chunk in self.chunks]

    def fetch_reason(self, now: int) -> Reason | None:
        """Conditions 1 and 2: the bytes of the next instruction are there."""
        known = [self.chunks[chunk] for chunk in self._chunks_of(self.entry) if chunk in self.chunks]
        late = [reason for usable, reason in known if usable > now]
        if Reason.BRANCH in late:
            return Reason.BRANCH
        return Reason.FETCH if late else None

    def fetch_after(self, entry: CodeEntry, following: CodeEntry, taken: bool, now: int) -> None:
        """What the fetch does when ``entry`` issues at ``now`` and ``following`` comes next."""
        p = self.p
        first = now + p.fetch_restart_first_clk, Reason.BRANCH
        next_ = now + p.fetch_restart_next_clk, Reason.BRANCH
        target = self._chunks_of(following)[0]
        if taken:
            self.chunks = {target: first, target + 1: next_}
        elif entry.kind is Kind.COND_BRANCH:
            last = self._chunks_of(entry)[-1]
            here = self.chunks.get(last, (now, Reason.FETCH))
            self.chunks = {last: here, last + 1: first, last + 2: next_}
        else:
            for chunk in self._chunks_of(entry):
                if chunk < target:  # left; what a branch is fetching already keeps its time
                    self.chunks.setdefault(chunk + 2, (now + p.fetch_refill_clk, Reason.FETCH))

    # -- dependency gaps (§4)

    def gap_clk(self) -> int:
        """Condition 3: the clock before which the next instruction may not issue."""
        p, entry = self.p, self.entry
        need = LONG_AGO
        if entry.category in (Category.LDS, Category.VMEM):
            need = self.last_valu + p.gap_valu_to_memory_clk
        if entry.category in (Category.SCALAR, Category.BRANCH):
            need = self.last_valu_sgpr + p.gap_valu_sgpr_to_scalar_clk
        if entry.kind is Kind.COND_BRANCH:
            need = max(need, self.last_salu + p.gap_salu_to_cbranch_clk)
        if entry.category is Category.VMEM:
            for register in entry.sgpr_reads | {SGPR_EXEC}:
                written = self.sgpr_written.get(register, LONG_AGO)
                need = max(need, written + p.gap_salu_to_vmem_clk)
        return need

    # -- counters (§7)

    def counter_reason(self, now: int) -> Reason | None:
        """Conditions 5 to 7: the counters are low enough for a wait, or for what counts."""
        entry, p = self.entry, self.p
        lgkm, vm = (
            sum(count for returns, count in queue if returns[0] > now) for queue in (self.lgkm, self.vm)
        )
        if entry.wait_lgkmcnt is not None and lgkm > entry.wait_lgkmcnt:
            return Reason.LGKMCNT
        if entry.wait_vmcnt is not None and vm > entry.wait_vmcnt:
            return Reason.VMCNT
        if entry.lgkm_increment and lgkm + entry.lgkm_increment > p.counter_lgkm_max:
            return Reason.COUNTER_FULL
        if entry.vm_increment and vm + entry.vm_increment > p.counter_vm_max:
            return Reason.COUNTER_FULL
        return None

    def forget_returned(self, now: int) -> None:
        """Drop what the counters no longer count."""
        self.lgkm = [item for item in self.lgkm if item[0][0] > now]
        self.vm = [item for item in self.vm if item[0][0] > now]

    def hold_longer(self, row: int, until_clk: int) -> None:
        """Row ``row``, issued last, turns out to hold the wave until ``until_clk``."""
        self.end[row] = self.free_clk = until_clk
        if self.finish_clk is not None:  # a stream without s_endpgm ends with it
            self.finish_clk = until_clk

    # -- booking

    def book(self, reason: Reason, clk: int) -> None:
        """Give ``clk`` clocks of the next instruction's waiting to ``reason``."""
        last = self.stalls[-1] if self.stalls else None
        if last and last[:2] == [self.row, int(reason)]:
            last[2] += clk
        else:
            self.stalls.append([self.row, int(reason), clk])

    def timeline(self, total_clk: int) -> WaveTimeline:
        """What was written down; a wave that has not ended waits to the end of the run."""
        stalls = np.array(self.stalls, np.int32).reshape(-1, 3)
        attempt, issue, end, done = (
            np.array(column, np.int64) for column in (self.attempt, self.issue, self.end, self.done)
        )
        return WaveTimeline(
            wave=self.trace.wave,
            workgroup=self.trace.workgroup,
            simd=self.trace.simd,
            slot=self.trace.slot,
            first_clk=self.start_clk,
            last_clk=total_clk if self.finish_clk is None else self.finish_clk,
            attempt_clk=attempt,
            issue_clk=issue,
            end_clk=end,
            done_clk=done,
            stall_row=stalls[:, 0].copy(),
            stall_reason=stalls[:, 1].astype(np.int8),
            stall_clk=stalls[:, 2].copy(),
            spin_repeats=tuple(self.spin_repeats),
        )
