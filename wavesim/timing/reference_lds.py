"""LDS of the clock-stepped reference: pair queues and one bank array, looked at in every clock (§6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.reference_state import LANES, NEVER, Spans, Wave
from wavesim.trace import UNKNOWN, CodeEntry, Kind


@dataclass
class Access:
    """One LDS instruction, or the data of a direct-to-LDS load, from issue to return."""

    wave: Wave
    row: int
    head_clk: int  # not before this clock at the bank array
    port_clk: int
    array_clk: int
    latency_clk: int
    returns: list[int] = field(default_factory=lambda: [NEVER])  # shared with the wave's counter
    queue_free_clk: int = NEVER
    issue_clk: int = NEVER
    drains: bool = False  # a write whose data holds wave and pair until it is done


class Lds:
    """Ports, queues and holds of the SIMD pairs, and the bank array that they share."""

    def __init__(self, p: TimingParameters, spans: Spans) -> None:
        self.p = p
        self.spans = spans
        pairs = len(p.structure_simd_pairs)
        self.held_until = [0] * pairs
        self.queue: list[list[Access]] = [[] for _ in range(pairs)]
        self.waiting: list[list[Access]] = [[] for _ in range(pairs)]
        self.previous_done = [0] * pairs
        self.stream_start = [NEVER] * pairs  # issue of the latest access that found its pair idle
        self.from_memory: list[Access] = []
        self.array_free = 0
        self.last_winner = -1

    def is_full(self, pair: int, now: int) -> bool:
        """Whether all entries of the pair's queue are held: to done + ``lds.queue_hold_clk``."""
        self.queue[pair] = [access for access in self.queue[pair] if access.queue_free_clk > now]
        return len(self.queue[pair]) >= self.p.lds_queue_entries

    def is_idle_pair(self, pair: int, now: int) -> bool:
        """Whether no access of the pair that issued before ``now`` is done later (services are in order)."""
        unserved = any(access.issue_clk < now for access in self.waiting[pair])
        return not unserved and self.previous_done[pair] <= now

    def join_clk(self, pair: int, now: int) -> int:
        """Rule ``lds_join``: how much later a read to an idle pair becomes head, the other pair streaming."""
        p, pairs = self.p, len(self.waiting)
        if pairs != 2 or self.is_idle_pair(1 - pair, now):
            return 0
        offset = now - self.stream_start[1 - pair]
        if offset < p.lds_join_from_clk:
            return 0
        return min(offset, p.lds_join_most_clk) if offset <= p.lds_join_near_clk else p.lds_join_clk

    def issue(self, pair: int, wave: Wave, row: int, entry: CodeEntry, now: int) -> int:
        """An LDS instruction enters its pair's queue at ``now``: the clocks for which it holds its wave."""
        p = self.p
        width = max(4, entry.width_bytes)
        hold = p.issue_slot_clk
        head = now
        idle = self.is_idle_pair(pair, now)
        if entry.kind is Kind.LDS_WRITE:
            port = hold = p.write_clk(p.lds_write_hold_clk, width)
            latency = p.write_clk(p.lds_write_latency_clk, width)
            self.held_until[pair] = now + hold
        else:
            port = max(4, LANES * width // p.lds_port_bytes_per_clk)
            if entry.width_bytes < 4:
                port = p.lds_subdword_port_clk
            if idle:
                head += self.join_clk(pair, now)
            latency = p.lds_read_latency_clk
        array = int(wave.trace.array_clk[row])
        if array == UNKNOWN:
            array = self.table_array_clk("write" if entry.kind is Kind.LDS_WRITE else "read", width)
        access = Access(wave, row, head, port, array, latency, issue_clk=now)
        access.drains = idle and entry.kind is Kind.LDS_WRITE and "lds_write_drain" not in p.rules_off
        if idle:
            self.stream_start[pair] = now
        wave.lgkm.append((access.returns, entry.lgkm_increment))
        self.queue[pair].append(access)
        self.waiting[pair].append(access)
        return hold

    def table_array_clk(self, kind: str, width_bytes: int) -> int:
        """Array clocks of a conflict-free access with all lanes, by kind and bytes per lane."""
        table = {width: clk for (which, width), clk in self.p.lds_array_clk.items() if which == kind}
        return self.p.write_clk(table, width_bytes)

    def return_from_memory(self, wave: Wave, row: int, moved_bytes: int, clk: int) -> None:
        """A direct-to-LDS load will ask for the array when it returns, at ``clk``."""
        if self.p.lds_from_memory_bytes_per_clk:
            array = -(-moved_bytes // self.p.lds_from_memory_bytes_per_clk)
            self.from_memory.append(Access(wave, row, clk, 0, array, 0))

    @property
    def is_idle(self) -> bool:
        """Nothing waits for the array."""
        return not self.from_memory and not any(self.waiting)

    def late_phase(self, clk: int) -> None:
        """Serve all accesses that become head at ``clk``; ties go round robin from the last winner."""
        heads: list[tuple[int, Access]] = []
        for pair, waiting in enumerate(self.waiting):
            if waiting and max(waiting[0].head_clk, self.previous_done[pair]) == clk:
                heads.append((pair, waiting[0]))
        memory = len(self.waiting)
        heads += [(memory, access) for access in self.from_memory if access.head_clk == clk]
        last = self.last_winner
        for requester, access in sorted(heads, key=lambda head: (head[0] - last - 1) % (memory + 1)):
            start = max(clk, self.array_free)
            self.array_free = start + access.array_clk
            self.last_winner = requester
            if access.array_clk:
                self.spans.add("lds_array", 0, start, self.array_free, access.wave, access.row)
            if requester == memory:
                self.from_memory.remove(access)
                continue
            self.waiting[requester].pop(0)
            done = max(clk + access.port_clk, start + access.array_clk)
            self.previous_done[requester] = done
            self.spans.add("lds_port", requester, clk, done, access.wave, access.row)
            access.queue_free_clk = done + self.p.lds_queue_hold_clk
            if access.drains:
                slot = self.p.issue_slot_clk
                self.held_until[requester] = max(self.held_until[requester], -(-done // slot) * slot)
                access.wave.hold_longer(access.row, self.held_until[requester])
            access.returns[0] = access.wave.done[access.row] = done + access.latency_clk
