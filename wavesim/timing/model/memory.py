"""Global memory (docs/model §10): one path, in order of issue: a queue, a limit in flight, a service."""

from __future__ import annotations

from wavesim.isa.kinds import LANES
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.in_flight import service_clk
from wavesim.timing.model.clock import Clock
from wavesim.timing.model.counters import Access
from wavesim.timing.model.lds import BankArray, data_from_memory
from wavesim.timing.model.record import NOBODY, By, Uses
from wavesim.timing.model.simd import Refusal, Until
from wavesim.trace import UNKNOWN, CodeEntry, Kind, Reason, Trace


class MemoryPath:
    """The path of the compute unit. Instruction *n* is the n-th that issued."""

    def __init__(self, clock: Clock, p: TimingParameters, trace: Trace, banks: BankArray, uses: Uses) -> None:
        self.clock = clock
        self.p = p
        self.banks = banks
        self.uses = uses
        self.latency_by_order_clk = trace.memory_latency_by_order_clk.tolist()
        self.head_by_order_clk = trace.memory_head_by_order_clk.tolist()
        self.issued_by: list[By] = []
        self.accepted_clk: list[int] = []  # a(n)
        self.returned_clk: list[int] = []  # ret(n)
        self.service_clk: list[int] = []  # s(n)
        self.store_bytes: list[int] = []  # the data that it stores, of all lanes; 0: a load
        self.held_bytes: list[int] = []  # what it takes of what may be in flight
        self.in_flight_from = 0  # f(n): the first that may be in flight together with the latest
        self.path_end_clk16 = 0  # e(n), in sixteenths of a clock
        self.standing: dict[int, tuple[int, int]] = {}  # wave -> SIMD and attempt of what has not issued
        self.served_clk: dict[int, int] = {}  # by SIMD: its latest issue
        self.last_issue_clk: int | None = None  # V
        self.wake_clk: int | None = None  # W
        self.store_data = Until()  # the latest store's data leave its registers

    def attempted(self, now: int, simd: int, by: By) -> int:
        """Rule ``vmem_idle_restart``: an instruction has its attempt; before when it does not issue."""
        self.standing[by.wave] = simd, now
        if self.last_issue_clk is None:
            return now
        since = max(self.last_issue_clk, self.wake_clk or 0)
        queued = self.accepted_clk[-1] > now
        if now - since > self.p.memory_idle_clk and not queued:
            self.wake_clk = now + self.p.memory_idle_restart_clk
        return now if self.wake_clk is None else self.wake_clk

    def asked_clk(self, simd: int) -> int:
        """Rule ``vmem_first_come``: the SIMD's first attempt since the port served it."""
        first_clk = min(clk for where, clk in self.standing.values() if where == simd)
        return max(first_clk, self.served_clk.get(simd, -4) + self.p.issue_slot_clk)

    def refuses(self, entry: CodeEntry, from_clk: int, now: int) -> Refusal | None:
        """Condition 13; ``from_clk`` is what :meth:`attempted` said."""
        n = self.last_to_leave(entry)
        free_clk = self.accepted_clk[n] if n >= 0 else now
        if free_clk > now:
            by_slots = entry.kind is Kind.VMEM_STORE  # loads issue meanwhile, and may fill the queue up
            return Refusal(Reason.VMEM_QUEUE, self.issued_by[n], now if by_slots else free_clk)
        if entry.kind is Kind.VMEM_STORE and self.store_data.clk > now:
            return Refusal(Reason.VMEM_QUEUE, self.store_data.by)
        return Refusal(Reason.VMEM_QUEUE, NOBODY) if from_clk > now else None

    def last_to_leave(self, entry: CodeEntry) -> int:
        """The latest instruction that must leave the queue before this one issues; negative: none."""
        count = len(self.accepted_clk)
        number = count - self.p.memory_queue_entries
        if entry.kind is not Kind.VMEM_STORE:
            return number
        stored_bytes = LANES * entry.width_bytes
        for n in range(count - 1, max(number, -1), -1):
            stored_bytes += self.store_bytes[n]
            if self.store_bytes[n] and stored_bytes > self.p.memory_store_queue_bytes:
                return n
        return number

    def issue(
        self,
        entry: CodeEntry,
        moved_bytes: int,
        hit_bytes: int,
        latency_clk: int,
        path_clk16: int,
        now: int,
        by: By,
    ) -> Access:
        """Instruction *n* issues; bytes, ``latency_clk`` and ``path_clk16`` are the Trace's."""
        p, n = self.p, len(self.accepted_clk)
        if moved_bytes == UNKNOWN:
            moved_bytes = LANES * entry.width_bytes
        hit_bytes = min(hit_bytes, moved_bytes)
        service = service_clk(moved_bytes, hit_bytes, p)
        accepted = now + p.memory_queue_hold_clk
        if n:
            accepted = max(accepted, self.accepted_clk[-1] + self.service_clk[-1])
        missing_bytes = moved_bytes - hit_bytes
        least_bytes = p.memory_to_lds_held_bytes if entry.to_lds and missing_bytes else 0
        self.held_bytes.append(max(missing_bytes, least_bytes))
        while not self.fits(n):
            self.in_flight_from += 1
        if self.in_flight_from:
            accepted = max(accepted, self.returned_clk[self.in_flight_from - 1])
        accepted += max(0, *self.head_by_order_clk[n : n + 1], 0)
        served = accepted
        if path_clk16:
            self.path_end_clk16 = max(16 * accepted, self.path_end_clk16) + path_clk16
            served = -(-self.path_end_clk16 // 16)
        returned = served + max(0, self.latency(n, entry, latency_clk) - p.memory_queue_hold_clk)
        if n and "vmem_in_order" not in p.rules_off:
            store = entry.kind is Kind.VMEM_STORE
            coming = min(p.memory_acknowledge_clk, service) if store else service
            returned = max(returned, self.returned_clk[-1] + coming)
        data_bytes = LANES * entry.width_bytes  # of all lanes, whatever is stored
        self.store_bytes.append(data_bytes if entry.kind is Kind.VMEM_STORE else 0)
        if entry.kind is Kind.VMEM_STORE and "vmem_store_data" not in p.rules_off:
            self.store_data = Until(now - (-data_bytes // p.memory_bytes_per_clk), by)
        self.issued_by.append(by)
        self.accepted_clk.append(accepted)
        self.returned_clk.append(returned)
        self.service_clk.append(service)
        self.last_issue_clk = now
        self.served_clk[self.standing.pop(by.wave)[0]] = now
        self.uses.add("memory", 0, accepted, returned, by)
        if entry.to_lds and p.lds_from_memory_bytes_per_clk:
            array_clk = -(-moved_bytes // p.lds_from_memory_bytes_per_clk)
            self.clock.start(data_from_memory(self.clock, self.banks, array_clk, returned, by))
        access = Access(self.clock, by.row, entry.vm_increment)
        access.returns(returned)
        return access

    def fits(self, n: int) -> bool:
        """Whether instructions ``in_flight_from`` to *n* may be in flight together; *n* alone always may."""
        first = self.in_flight_from
        few = n - first < self.p.memory_tail_entries
        return first == n or (few and sum(self.held_bytes[first:]) <= self.p.memory_tail_bytes)

    def latency(self, n: int, entry: CodeEntry, of_record_clk: int) -> int:
        """The latency by order of issue where it is known, else the record's, else the machine's."""
        for clk in (*self.latency_by_order_clk[n : n + 1], of_record_clk):
            if clk != UNKNOWN:
                return int(clk)
        store = entry.kind is Kind.VMEM_STORE
        return self.p.memory_store_latency_clk if store else self.p.memory_latency_clk
