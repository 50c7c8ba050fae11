"""LDS (docs/model §6): each SIMD pair's port with its queue, and the bank array that they share.

An access waits in its pair's queue, becomes its head, asks for the bank array, is served by port and
array together, and returns its data some clocks after it is done.
"""

from __future__ import annotations

from collections import deque

import simpy

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.clock import Clock, Events, Phase
from wavesim.timing.model.counters import NEVER, Access
from wavesim.timing.model.record import By, Uses
from wavesim.timing.model.simd import Refusal, Until
from wavesim.timing.rules.lds_array import conflict_free_clk
from wavesim.timing.rules.lds_port import hold_clk, latency_clk, port_clk
from wavesim.timing.rules.lds_subdword import subdword_clk
from wavesim.trace import UNKNOWN, CodeEntry, Reason


class BankArray:
    """One access at a time, first come, first served. Requesters are the pairs, and data from memory."""

    def __init__(self, clock: Clock, requesters: int, uses: Uses) -> None:
        self.clock = clock
        self.requesters = requesters
        self.uses = uses
        self.free_clk = 0
        self.last_winner = -1
        self.asking: list[tuple[int, int, By, simpy.Event]] = []

    def ask(self, requester: int, array_clk: int, by: By) -> simpy.Event:
        """Ask in the phase BANKS; the event's value is the clock at which the access has the array."""
        if not self.asking:
            self.clock.call(self.decide, Phase.SERVE)
        granted = self.clock.env.event()
        self.asking.append((requester, array_clk, by, granted))
        return granted

    def decide(self) -> None:
        """All that ask in this clock are served one after the other; ties go round from the last winner."""
        now, last = self.clock.now, self.last_winner
        asking, self.asking = self.asking, []
        asking.sort(key=lambda request: (request[0] - last - 1) % self.requesters)
        for requester, array_clk, by, granted in asking:
            start_clk = max(now, self.free_clk)
            self.free_clk = start_clk + array_clk
            self.last_winner = requester
            if array_clk:
                self.uses.add("lds_array", 0, start_clk, self.free_clk, by)
            granted.succeed(start_clk)


class LdsAccess(Access):
    """An LDS instruction from its issue to its return. ``done_clk``, ``queue_free_clk``: once served."""

    def __init__(self, clock: Clock, by: By, entry: CodeEntry, issue_clk: int) -> None:
        super().__init__(clock, by.row, entry.lgkm_increment)
        self.by = by
        self.issue_clk = self.head_clk = issue_clk
        self.port_clk = self.array_clk = self.late_clk = self.latency_clk = self.hold_clk = 0
        self.done_clk = self.queue_free_clk = NEVER
        self.drains = False
        self.served: simpy.Event = clock.env.event()


class LdsPort:
    """The port of one SIMD pair: accesses are served first in, first out."""

    def __init__(self, clock: Clock, p: TimingParameters, number: int, banks: BankArray, uses: Uses) -> None:
        self.clock = clock
        self.p = p
        self.number = number
        self.banks = banks
        self.uses = uses
        self.other: LdsPort | None = None  # of two pairs
        self.arrivals = simpy.Store(clock.env)
        self.entries: deque[LdsAccess] = deque()  # of the queue, as far as they are held
        self.latest: deque[LdsAccess] = deque(maxlen=2)
        self.held = Until()  # by a write's data
        self.stream_start_clk = 0  # issue of the latest access that found the pair idle
        self.last_simd: int | None = None  # that the port was granted to
        clock.start(self.serve())

    # -- issue

    def refuses(self, now: int) -> Refusal | None:
        """Conditions 11 and 12."""
        if self.held.clk > now:
            return Refusal(Reason.LDS_HOLD, self.held.by, self.held.clk)
        while self.entries and self.entries[0].queue_free_clk <= now:
            self.entries.popleft()
        if len(self.entries) < self.p.lds_queue_entries:
            return None
        oldest = self.entries[-self.p.lds_queue_entries]
        until_clk = oldest.queue_free_clk if oldest.queue_free_clk < NEVER else 0
        return Refusal(Reason.LDS_QUEUE, oldest.by, until_clk)

    def is_idle(self, now: int) -> bool:
        """Whether no access of the pair that issued before ``now`` is done later."""
        before = [access for access in self.latest if access.issue_clk < now]
        return not before or before[-1].done_clk <= now

    def join_delay_clk(self, now: int) -> int:
        """Rule ``lds_join``: how much later a read to an idle pair is head while the other pair streams."""
        p = self.p
        if self.other is None or self.other.is_idle(now):
            return 0
        offset = now - self.other.stream_start_clk
        if offset < p.lds_join_from_clk:
            return 0
        return min(offset, p.lds_join_most_clk) if offset <= p.lds_join_near_clk else p.lds_join_clk

    def issue(self, entry: CodeEntry, array_clk: int, now: int, by: By) -> LdsAccess:
        """An LDS instruction issues and takes an entry of the queue."""
        p = self.p
        access = LdsAccess(self.clock, by, entry, now)
        access.port_clk, access.latency_clk = port_clk(p, entry), latency_clk(p, entry)
        access.late_clk = subdword_clk(p, entry)
        banks_clk = conflict_free_clk(p, entry) if array_clk == UNKNOWN else array_clk
        access.array_clk = max(banks_clk, access.late_clk)
        idle = self.is_idle(now)
        access.hold_clk = hold_clk(p, entry)
        if entry.data_bytes:
            access.drains = idle and "lds_write_drain" not in p.rules_off
            self.held = Until(now + access.hold_clk, by)
        elif idle:
            access.head_clk += self.join_delay_clk(now)
        if idle:
            self.stream_start_clk = now
        self.entries.append(access)
        self.latest.append(access)
        self.arrivals.put(access)
        return access

    # -- service

    def serve(self) -> Events:
        """The port's life: one access after the other is head, and is served by port and array together."""
        clock = self.clock
        while True:
            access: LdsAccess = yield self.arrivals.get()
            head_clk = max(access.head_clk, clock.now)
            yield clock.at(head_clk, Phase.BANKS)
            array_from_clk = yield self.banks.ask(self.number, access.array_clk, access.by)
            access.done_clk = max(head_clk + access.port_clk, array_from_clk + access.array_clk)
            access.queue_free_clk = access.done_clk + access.late_clk + self.p.lds_queue_hold_clk
            self.uses.add("lds_port", self.number, head_clk, access.done_clk, access.by)
            if access.drains:
                self.held.extend(clock.first_slot(access.done_clk), access.by)
            access.served.succeed()
            access.returns(access.done_clk + access.late_clk + access.latency_clk)
            yield clock.at(access.done_clk)


def data_from_memory(clock: Clock, banks: BankArray, array_clk: int, clk: int, by: By) -> Events:
    """The data of a load to LDS asks for the bank array when it returns, at ``clk``."""
    yield clock.at(clk, Phase.BANKS)
    yield banks.ask(banks.requesters - 1, array_clk, by)
