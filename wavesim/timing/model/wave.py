"""A wave's life (docs/model §2): each instruction is reached, waits, competes, issues and ends.

Conditions are looked at in the contract's order. The first that fails has the clocks until it is looked
at again: at its end where that is known, else when it becomes known, else in the next slot.
"""

from __future__ import annotations

import numpy as np

from wavesim.timing.model.arbiter import PORTS
from wavesim.timing.model.clock import Clock, Events, EventsThenClk
from wavesim.timing.model.counters import NEVER, Access, Counter
from wavesim.timing.model.gaps import Gaps
from wavesim.timing.model.parts import Parts
from wavesim.timing.model.record import NOBODY, By, Stalls
from wavesim.timing.model.simd import Refusal
from wavesim.timing.rules.fetch import FetchBuffer, jumps
from wavesim.trace import FOLLOWS, UNKNOWN, Category, CodeEntry, Kind, Reason, Spin, WaveTimeline, WaveTrace

MEMORY = (Category.VMEM, Category.SCALAR)
"""Categories whose instructions may return their data later, at a clock that is known when they issue."""


class Wave:
    """One wave: a process that goes through the executed stream."""

    def __init__(self, parts: Parts, position: int, trace: WaveTrace) -> None:
        self.parts = parts
        self.p = p = parts.p
        self.clock: Clock = parts.clock
        self.position = position
        self.trace = trace
        self.code = [parts.trace.code[index] for index in trace.code.tolist()]
        self.simd_number, self.slot = trace.simd, trace.slot
        self.simd = parts.simds[trace.simd]
        self.port = parts.port_of[trace.simd]
        self.start_clk: int | None = None  # nobody has said yet
        self.row = 0
        self.priority = 0
        self.finish_clk: int | None = None
        self.arrival_clk: int | None = None  # at the barrier where it stands
        rows = len(self.code)
        self.attempt, self.issue_clk, self.end, self.done = ([-1] * rows for _ in range(4))
        self.stalls = Stalls()
        self.fetch = FetchBuffer(p, parts.code_cache)
        self.gaps = Gaps(p)
        self.lgkm = Counter()
        self.vm = Counter()
        self.last_return_clk = 0  # of its global memory
        self.memory_from_clk = 0  # §10: the path restarts, for the instruction that it stands at
        self.spin_of_last = {spin.last: number for number, spin in enumerate(trace.spins)}
        self.spin_repeats = [0] * len(trace.spins)
        self.polling: Spin | None = None
        self.gave_up = False  # it polls for what can never happen
        if trace.start_clk != FOLLOWS:
            self.begin(trace.simd, trace.slot, trace.start_clk)

    @property
    def entry(self) -> CodeEntry:
        """The instruction that it stands at."""
        entry: CodeEntry = self.code[self.row]
        return entry

    @property
    def me(self) -> By:
        """The instruction that it stands at, as one to blame."""
        return By(self.position, self.row)

    # -- its life

    def begin(self, simd: int, slot: int, start_clk: int) -> None:
        """It is given a place, and a time to start."""
        self.simd_number, self.slot = simd, slot
        self.simd = self.parts.simds[simd]
        self.port = self.parts.port_of[simd]
        self.start_clk = start_clk = self.clock.first_slot(start_clk)
        if self.code:
            self.clock.start(self.live(start_clk))
        else:
            self.finish_clk = start_clk

    def live(self, start_clk: int) -> Events:
        """From dispatch to the end of the stream."""
        yield self.clock.at(start_clk)
        while self.finish_clk is None and not self.gave_up:
            yield from self.reach()
            yield from self.wait()
            yield from self.compete()
            yield from self.issue()
        if self.finish_clk is not None and self.entry.kind is Kind.ENDPGM:
            barrier = self.parts.barriers[self.trace.workgroup]
            barrier.end(barrier.arrival(self.simd_number, self.me))
            self.parts.dispatcher.ended(self)

    def stand(self, reason: Reason, until_clk: int, by: By = NOBODY) -> Events:
        """Wait for a known end: the clocks up to the first slot then go to ``reason``."""
        now, until_clk = self.clock.now, self.clock.first_slot(until_clk)
        if until_clk > now:
            self.stalls.book(self.row, reason, until_clk - now, by)
            yield self.clock.at(until_clk)

    # -- conditions 1 to 3: bytes and gaps

    def reach(self) -> Events:
        """The instruction's bytes are there, and it is far enough from earlier ones."""
        entry = self.entry
        early = entry.kind in (Kind.WAIT, Kind.BARRIER)  # their attempt counts from the end of the one before
        if early:
            self.attempt[self.row] = self.clock.now
        restarted_clk, usable_clk = self.fetch.usable_clk(entry)
        yield from self.stand(Reason.BRANCH, restarted_clk)
        yield from self.stand(Reason.FETCH, usable_clk)
        open_clk, row = self.gaps.open_clk(entry)
        yield from self.stand(Reason.DEPENDENCY, open_clk, By(self.position, row))
        if not early:
            self.attempt[self.row] = self.clock.now
        if entry.category is Category.VMEM:
            self.memory_from_clk = self.parts.memory.attempted(self.clock.now, self.simd_number, self.me)

    # -- conditions 4 to 7: barrier and counters

    def wait(self) -> Events:
        """What the wave waits for on its own account."""
        entry, p = self.entry, self.p
        if entry.kind is Kind.BARRIER:
            yield from self.wait_at_barrier()
        if entry.wait_lgkmcnt is not None:
            yield from self.wait_for(self.lgkm, entry.wait_lgkmcnt, Reason.LGKMCNT)
        if entry.wait_vmcnt is not None:
            yield from self.wait_for(self.vm, entry.wait_vmcnt, Reason.VMCNT)
        if entry.lgkm_increment:
            room = p.counter_lgkm_max - entry.lgkm_increment
            yield from self.wait_for(self.lgkm, room, Reason.COUNTER_FULL)
        if entry.vm_increment:
            room = p.counter_vm_max - entry.vm_increment
            yield from self.wait_for(self.vm, room, Reason.COUNTER_FULL)

    def wait_at_barrier(self) -> Events:
        """§8: until the last wave of the workgroup has arrived."""
        barrier = self.parts.barriers[self.trace.workgroup]
        self.arrival_clk = arrived = self.clock.now
        release = yield barrier.arrive(barrier.arrival(self.simd_number, self.me))
        issue_clk = release.end_clk - self.clock.slot_clk
        self.stalls.book(self.row, Reason.BARRIER, issue_clk - arrived, release.by)
        if issue_clk > self.clock.now:
            yield self.clock.at(issue_clk)
        self.arrival_clk = None

    def wait_for(self, counter: Counter, at_most: int, reason: Reason) -> Events:
        """§7: until the counter is low enough."""
        while counter.value(self.clock.now) > at_most:
            begin, access = self.clock.now, counter.waited_for(at_most)
            unserved = counter.first_unserved()
            if unserved is None:
                yield from self.stand(reason, access.return_clk, By(self.position, access.row))
                continue
            changes = unserved.known  # an LDS access may yet return before what is waited for now
            if access.return_clk != NEVER:
                changes = changes | self.clock.at(self.clock.first_slot(access.return_clk))
            yield changes
            until_clk = self.clock.first_slot(self.clock.now)
            self.stalls.book(self.row, reason, until_clk - begin, By(self.position, access.row))
            if until_clk > self.clock.now:
                yield self.clock.at(until_clk)

    # -- conditions 8 to 13, and arbitration

    def compete(self) -> Events:
        """Ask for each slot in which nothing keeps the instruction out, until it is granted."""
        while True:
            refusal = self.refusal()
            kept_out = refusal if self.waits_for_mfma(refusal) else None
            if refusal is None or kept_out is not None:
                refusal = yield self.parts.arbiter.ask(
                    self.entry, self.me, self.simd_number, self.priority, self.attempt[self.row], kept_out
                )
            if refusal is None:
                return
            until_clk = self.clock.now + self.clock.slot_clk
            if self.entry.category is Category.MFMA or not self.simd.blocks_later_slots:
                until_clk = max(until_clk, refusal.until_clk)  # no MFMA can become the reason before
            yield from self.stand(refusal.reason, until_clk, refusal.by)

    def refusal(self) -> Refusal | None:
        """The first of the conditions 8 to 13 that does not hold in this slot."""
        return self.simd.refuses(self.entry, self.clock.now) or self.memory_refusal()

    def memory_refusal(self) -> Refusal | None:
        """The first of the conditions 11 to 13 that does not hold in this slot."""
        now = self.clock.now
        if self.entry.category is Category.LDS:
            return self.port.refuses(now)
        if self.entry.category is Category.VMEM:
            return self.parts.memory.refuses(self.entry, self.memory_from_clk, now)
        return None

    def waits_for_mfma(self, refusal: Refusal | None) -> bool:
        """Whether nothing but an MFMA keeps the instruction from its port, which looks at it all the same."""
        if refusal is None or refusal.reason is not Reason.MFMA_COISSUE:
            return False
        return self.entry.category in PORTS and self.memory_refusal() is None

    # -- issue

    def issue(self) -> Events:
        """The instruction issues; the wave goes on to the next one when this one lets it."""
        entry, row, now = self.entry, self.row, self.clock.now
        self.issue_clk[row] = now
        end_clk = yield from self.execute(entry, now)
        self.end[row] = end_clk
        self.gaps.issued(entry, row, now)
        if self.polling is None:
            self.parts.spins.note_news(max(end_clk, self.done[row]) if entry.category in MEMORY else end_clk)
        taken = jumps(entry, bool(self.trace.taken[row]))
        following = row + 1
        if row in self.spin_of_last and not self.spin_is_over(now):
            if self.gave_up:
                return
            spin = self.trace.spins[self.spin_of_last[row]]
            following, taken = spin.first, True
        if entry.kind is Kind.ENDPGM or following >= len(self.code):
            self.finish_clk = end_clk
        else:
            self.row = following
            self.fetch.issued(entry, self.entry, taken, row, now)
        yield self.clock.at(self.clock.first_slot(end_clk))

    def execute(self, entry: CodeEntry, now: int) -> EventsThenClk:
        """What the instruction occupies; returns its ``end_clk``."""
        row, p, parts = self.row, self.p, self.parts
        end_clk = now + p.issue_slot_clk
        if entry.category is Category.LDS:
            return (yield from self.execute_lds(entry, now))
        self.done[row] = now
        if entry.category is Category.VMEM:
            self.execute_memory(entry, now)
        elif entry.category is Category.MFMA:
            start_clk, self.done[row] = self.simd.issue_mfma(entry, now, self.me)
            parts.uses.add("mfma", self.simd_number, start_clk, self.done[row], self.me)
            parts.turns.saw(now)
            if entry.scaled:
                parts.turns.saw_half(start_clk, self.simd_number, self.me)
            end_clk = start_clk + p.issue_slot_clk
        elif entry.category is Category.VALU:
            parts.turns.saw(now)
            end_clk = self.simd.issue_valu(entry, now, self.me)
        elif entry.kind is Kind.SMEM and entry.lgkm_increment:
            latency_clk = int(self.trace.memory_latency_clk[row])
            self.done[row] = now + (p.scalar_load_latency_clk if latency_clk == UNKNOWN else latency_clk)
            access = Access(self.clock, row, entry.lgkm_increment)
            access.returns(self.done[row])
            self.lgkm.add(access)
        elif entry.kind is Kind.NOP:
            end_clk = now + p.issue_slot_clk * max(1, entry.nop_slots)
        elif entry.kind is Kind.SLEEP:
            end_clk = now + max(p.issue_slot_clk, p.issue_sleep_unit_clk * entry.sleep_units)
        elif entry.kind is Kind.SETPRIO:
            self.priority = entry.priority  # it asks for nothing before its end
        elif entry.kind is Kind.ENDPGM and "endpgm_drain" not in p.rules_off:
            end_clk = max(end_clk, self.clock.first_slot(self.last_return_clk))
        return end_clk

    def execute_lds(self, entry: CodeEntry, now: int) -> EventsThenClk:
        """An LDS access enters its port's queue; a write holds its wave; returns ``end_clk``."""
        access = self.port.issue(entry, int(self.trace.array_clk[self.row]), now, self.me)
        self.lgkm.add(access)
        assert access.known.callbacks is not None
        row = self.row
        access.known.callbacks.append(lambda _: self.done.__setitem__(row, access.return_clk))
        if access.drains:  # its data leaves the wave no faster than the banks take it
            yield access.served
            return max(now + access.hold_clk, self.clock.first_slot(access.done_clk))
        return now + access.hold_clk

    def execute_memory(self, entry: CodeEntry, now: int) -> None:
        """An instruction of the memory path; a flat one counts in both counters."""
        row, trace = self.row, self.trace
        moved, latency_clk = int(trace.memory_bytes[row]), int(trace.memory_latency_clk[row])
        path_clk16 = int(trace.memory_path_clk16[row]) if len(trace.memory_path_clk16) else 0
        hit = int(trace.memory_hit_bytes[row]) if len(trace.memory_hit_bytes) else 0
        access = self.parts.memory.issue(entry, moved, hit, latency_clk, path_clk16, now, self.me)
        self.done[row] = access.return_clk
        self.last_return_clk = max(self.last_return_clk, access.return_clk)
        self.vm.add(access)
        if entry.lgkm_increment:
            flat = Access(self.clock, row, entry.lgkm_increment)
            flat.returns(access.return_clk)
            self.lgkm.add(flat)

    # -- polling loops (§12)

    def spin_is_over(self, now: int) -> bool:
        """Whether the store that this loop polls for is done.

        The wave gives up if none can ever go on, or if the polls keep the store from issuing.
        """
        number = self.spin_of_last[self.row]
        spin = self.trace.spins[number]
        if self.parts.spins.is_done(spin, now):
            self.polling = None
            return True
        self.spin_repeats[number] += 1
        self.polling = spin
        self.gave_up = self.parts.spins.is_in_vain(now)
        return False

    @property
    def is_stuck(self) -> bool:
        """Whether only another wave can let this one go on, or it is over."""
        spin = self.polling
        polls = spin is not None and not self.parts.spins.has_issued(spin)
        over = self.start_clk is None or self.finish_clk is not None
        return over or self.arrival_clk is not None or polls

    # -- what is known of it in the end

    def latest_clk(self) -> int:
        """The latest clock at which something of it happened."""
        return max(self.finish_clk or 0, self.arrival_clk or 0, *self.end, *self.attempt, 0)

    def timeline(self, total_clk: int) -> WaveTimeline:
        """What was written down; a wave that has not ended waits to the end of the run."""
        if self.arrival_clk is not None:
            self.stalls.book(self.row, Reason.BARRIER, total_clk - self.arrival_clk, NOBODY)
        found = self.stalls.found
        columns = [[stall.row, stall.reason, stall.clk, *stall.by] for stall in found]
        row, reason, clk, by_wave, by_row = np.array(columns, np.int32).reshape(-1, 5).T
        attempt, issue, end, done = (
            np.array(column, np.int64) for column in (self.attempt, self.issue_clk, self.end, self.done)
        )
        return WaveTimeline(
            wave=self.trace.wave,
            workgroup=self.trace.workgroup,
            simd=self.simd_number,
            slot=self.slot,
            first_clk=total_clk if self.start_clk is None else self.start_clk,
            last_clk=total_clk if self.finish_clk is None else self.finish_clk,
            attempt_clk=attempt,
            issue_clk=issue,
            end_clk=end,
            done_clk=done,
            stall_row=row.copy(),
            stall_reason=reason.astype(np.int8),
            stall_clk=clk.copy(),
            spin_repeats=tuple(self.spin_repeats),
            stall_by_wave=by_wave.copy(),
            stall_by_row=by_row.copy(),
        )
