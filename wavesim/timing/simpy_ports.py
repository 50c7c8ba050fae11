"""Shared ports of the compute unit: LDS pair ports, the bank array and the global-memory path.

Requests only enqueue; each port grants in its own late phase of the timestamp (docs/model.md §6, §10, §11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim.timing.simpy_wave import LONG_AGO, UNKNOWN_CLK, Access, Wave
from wavesim.trace import UNKNOWN, Reason

if TYPE_CHECKING:
    from wavesim.timing.simpy_engine import ComputeUnit
    from wavesim.timing.simpy_simd import Simd


COUNTING = (int(Reason.LGKMCNT), int(Reason.COUNTER_FULL))
"""Reasons that end with the return of an access."""
LDS_QUEUE, VMEM_QUEUE = int(Reason.LDS_QUEUE), int(Reason.VMEM_QUEUE)


class BusyLog:
    """Uses of one resource: (start, end, wave position, row)."""

    __slots__ = ("uses",)

    def __init__(self) -> None:
        self.uses: list[tuple[int, int, int, int]] = []


class LdsPort:
    """The port and queue of one SIMD pair: one grant per slot, the two SIMDs alternating."""

    def __init__(self, unit: ComputeUnit, number: int) -> None:
        self.unit = unit
        self.number = number
        self.p = unit.parameters
        self.simds: list[Simd] = []
        self.asking: list[Wave] = []  # in this slot
        self.last_simd = -1
        self.held_until = 0
        self.entries = self.p.lds_queue_entries
        self.queue: list[Access] = []  # also entries given back since the queue was full last
        self.is_awaited = False  # a wave waits for an entry whose end is not known
        self.array = unit.array
        self.waiting: list[Access] = []  # not yet served, in order; the first is the head
        self.previous_done = 0
        self.stream_start = 0  # issue of the access that found the pair idle last
        self.others: list[LdsPort] = []  # the other pair, where there is one
        self.drains = "lds_write_drain" not in self.p.rules_off
        self.draining: Access | None = None  # a write that issues in this slot
        self.alternates = "lds_alternation" not in self.p.rules_off
        self.uses = unit.log("lds_port", number).uses

    def grant(self) -> None:
        """One grant: the SIMD that was not granted last, at the beginning the lower."""
        asking, self.asking = self.asking, []
        wave = asking[0]
        if len(asking) > 1:
            asking.sort(key=_simd_number)
            wave = asking[0]
            if self.alternates and wave.simd.number == self.last_simd:
                for other in asking:
                    if other.simd.number != self.last_simd:
                        wave = other
                        break
        self.last_simd = wave.simd.number
        self._issue(wave)
        if len(asking) > 1:
            now = self.unit.now
            full_until = now
            if len(self.queue) >= self.entries and self.held_until <= now + self.p.issue_slot_clk:
                full_until = self.queue[len(self.queue) - self.entries].queue_free
            for other in asking:
                if other is not wave:
                    other.simd.deny(other, now, LDS_QUEUE, full_until)

    def _issue(self, wave: Wave) -> None:
        now = self.unit.now
        op = wave.op
        array = wave.array_clk[wave.row]
        if array == UNKNOWN:
            array = op.array_clk
        access = Access(wave, now, op.lgkm, UNKNOWN_CLK, op.port_clk, array, op.latency_clk)
        wave.lgkm.append(access)
        self.queue.append(access)
        self.waiting.append(access)
        idle = False
        if len(self.waiting) == 1:
            head = self.previous_done
            idle = head <= now
            if idle:
                head = self.stream_start = now
                if not op.write:
                    head += self.join_clk(now)
            self.array.expect(self, head)
        if op.write:
            if idle and self.drains:
                self.draining = access  # how long it holds is known when the array is granted
                return
            self._hold(now + op.hold_clk)
        wave.simd.issued(wave, now, now + op.hold_clk)

    def _hold(self, until: int) -> None:
        """A write's data keeps the pair's other accesses out."""
        self.held_until = until
        for simd in self.simds:
            simd.review(self.unit.now)

    def join_clk(self, now: int) -> int:
        """How late a read of this idle pair begins because the other pair streams (§6, Join)."""
        for other in self.others:
            if other.waiting or other.previous_done > now:
                offset = now - other.stream_start
                if offset < self.p.lds_join_from_clk:
                    return 0
                if offset <= self.p.lds_join_near_clk:
                    return min(offset, self.p.lds_join_most_clk)
                return self.p.lds_join_clk
        return 0

    def served(self, access: Access, done: int) -> None:
        """The head was served: times become known, the next access becomes head at ``done``."""
        waiting = self.waiting
        waiting.pop(0)
        self.previous_done = done
        access.queue_free = done + self.p.lds_queue_hold_clk
        access.ret = done + access.latency
        wave = access.wave
        wave.done[access.row] = access.ret
        if self.draining is access:
            self.draining = None
            slot = self.p.issue_slot_clk
            until = max(access.issue + wave.op.hold_clk, -(-done // slot) * slot)
            self._hold(until)
            wave.simd.issued(wave, access.issue, until)
        if waiting:
            self.array.expect(self, done)
        if wave.stalled_for in COUNTING:
            wave.simd.retry(wave)
        if self.is_awaited:
            self.is_awaited = False
            for simd in self.simds:
                simd.queue_known(self)

    def free_clk(self, now: int) -> int:
        """When the queue has a free entry: ``now`` or before, a later clock, or unknown."""
        queue = self.queue
        while queue and queue[0].queue_free <= now:
            queue.pop(0)
        if len(queue) < self.entries:
            return now
        free = queue[len(queue) - self.entries].queue_free
        self.is_awaited |= free >= UNKNOWN_CLK
        return free


def _simd_number(wave: Wave) -> int:
    return wave.simd.number


class BankArray:
    """The banks, one access at a time for the whole compute unit, first come, first served.

    Requesters are the pairs and, numbered after them, returning direct-to-LDS loads. Ties go round robin
    from the last winner.
    """

    def __init__(self, unit: ComputeUnit) -> None:
        self.unit = unit
        self.free = 0
        self.last = -1
        self.requesters = len(unit.parameters.structure_simd_pairs) + 1
        self.heads: dict[int, list[LdsPort]] = {}
        self.arrivals: dict[int, list[Access]] = {}
        self.uses = unit.log("lds_array", 0).uses

    def expect(self, port: LdsPort, clk: int) -> None:
        """The pair's first waiting access is its head from ``clk`` on."""
        ports = self.heads.get(clk)
        if ports is not None:
            ports.append(port)
            return
        self.heads[clk] = [port]
        if clk not in self.unit.slots and clk not in self.arrivals:  # a slot sees to its own clock's heads
            self.unit.schedule(self.unit.array_event, clk, self.unit.ARRAY)

    def expect_from_memory(self, access: Access, clk: int) -> None:
        """A direct-to-LDS load returns at ``clk``."""
        if clk not in self.arrivals:
            self.unit.schedule(self.unit.array_event, clk, self.unit.ARRAY)
        self.arrivals.setdefault(clk, []).append(access)

    def serve(self, now: int) -> None:
        """All heads of this clock, in the order of the tie rule."""
        ports = self.heads.pop(now, [])
        if self.arrivals and now in self.arrivals:
            memory_turn = self._turn(self.requesters - 1)
            ports.sort(key=self._turn_of_port)
            first = [port for port in ports if self._turn_of_port(port) < memory_turn]
            for port in first:
                self._serve_port(port, now)
            for access in self.arrivals.pop(now):
                self._take(access, now, self.requesters - 1)
            ports = ports[len(first) :]
        elif len(ports) > 1:
            ports.sort(key=self._turn_of_port)
        for port in ports:
            self._serve_port(port, now)

    def _serve_port(self, port: LdsPort, now: int) -> None:
        access = port.waiting[0]
        done = self._take(access, now, port.number) + access.array
        if now + access.port > done:
            done = now + access.port
        port.uses.append((now, done, access.wave.position, access.row))
        port.served(access, done)

    def _take(self, access: Access, now: int, requester: int) -> int:
        start = self.free if self.free > now else now
        self.last = requester
        if access.array:
            self.free = start + access.array
            self.uses.append((start, self.free, access.wave.position, access.row))
        else:
            self.free = start
        return start

    def _turn_of_port(self, port: LdsPort) -> int:
        return self._turn(port.number)

    def _turn(self, requester: int) -> int:
        return (requester - self.last - 1) % self.requesters


class MemoryPath:
    """Global memory: one issue per slot, a queue, a cap on what is in flight, returns in order."""

    def __init__(self, unit: ComputeUnit) -> None:
        self.unit = unit
        self.p = unit.parameters
        self.asking: list[Wave] = []  # in this slot
        self.last_simd = -1
        self.last_wave: Wave | None = None
        self.last_row = -1
        self.last_clk = LONG_AGO  # of the last issue; LONG_AGO: none yet
        self.wake_clk = LONG_AGO
        off = self.p.rules_off
        self.in_order = "vmem_in_order" not in off
        self.takes_turns = "vmem_round_robin" not in off
        self.idle_takes_earliest = "vmem_idle_port" not in off
        self.accepted: list[int] = []
        self.service: list[int] = []
        self.returned: list[int] = []
        self.by_order = unit.trace.memory_latency_by_order_clk.tolist()
        self.uses = unit.log("memory", 0).uses

    def free_clk(self, now: int) -> int:
        """When the queue has a free slot (never unknown: acceptance is known at issue)."""
        entries = self.p.memory_queue_entries
        if len(self.accepted) < entries:
            return now
        return self.accepted[-entries]

    def attempt(self, now: int) -> int:
        """A VMEM instruction has its attempt now: the clock before which it may not issue (§10, restart)."""
        if (
            self.last_clk > LONG_AGO
            and now - max(self.last_clk, self.wake_clk) > self.p.memory_idle_clk
            and self.accepted[-1] <= now
        ):
            self.wake_clk = now + self.p.memory_idle_restart_clk
        return self.wake_clk

    def grant(self) -> None:
        """The run of the wave granted last goes on; else a busy port takes the next asking SIMD in cyclic
        order, an idle one the request that was there first."""
        asking, self.asking = self.asking, []
        wave = asking[0]
        if len(asking) > 1:
            wave = min(asking, key=self._turn)
        self.last_simd, self.last_wave, self.last_row = wave.simd.number, wave, wave.row
        now = self.last_clk = self.unit.now
        self._issue(wave)
        if len(asking) > 1:
            free = self.free_clk(now)
            for other in asking:
                if other is not wave:
                    other.simd.deny(other, now, VMEM_QUEUE, max(other.vm_not_before, free))

    def _turn(self, wave: Wave) -> tuple[int, int]:
        number = wave.simd.number
        if not self.takes_turns:
            return (0, number)
        if wave is self.last_wave and wave.row == self.last_row + 1:
            return (-1, 0)
        if self.idle_takes_earliest and self.last_clk != self.unit.now - self.p.issue_slot_clk:
            return (wave.attempt[wave.row], number)
        return (0, (number - self.last_simd - 1) % len(self.unit.simds))

    def _issue(self, wave: Wave) -> None:
        now = self.unit.now
        row = wave.row
        op = wave.op
        moved = wave.memory_bytes[row]
        moved = op.memory_bytes if moved == UNKNOWN else moved
        service = max(self.p.memory_min_service_clk, -(-moved // self.p.memory_bytes_per_clk))
        number = len(self.accepted)
        latency = self.by_order[number] if number < len(self.by_order) else UNKNOWN
        if latency == UNKNOWN:
            latency = wave.memory_latency[row]
        if latency == UNKNOWN:
            latency = op.latency_clk
        accepted = now
        returned = 0
        if number:
            accepted = max(accepted, self.accepted[-1] + self.service[-1])
            if self.in_order:
                returned = self.returned[-1] + service
        if number >= self.p.memory_tail_entries:
            accepted = max(accepted, self.returned[-self.p.memory_tail_entries])
        returned = max(returned, accepted + latency)
        self.accepted.append(accepted)
        self.service.append(service)
        self.returned.append(returned)
        access = Access(wave, now, op.vm, returned)
        wave.done[row] = returned
        wave.vm_return = max(wave.vm_return, returned)
        if wave.spinning is None:
            self.unit.news_clk = max(self.unit.news_clk, returned)
        wave.vm.append(access)
        if op.lgkm:
            wave.lgkm.append(Access(wave, now, op.lgkm, returned))
        if op.to_lds and self.p.lds_from_memory_bytes_per_clk:
            access.array = -(-moved // self.p.lds_from_memory_bytes_per_clk)
            self.unit.array.expect_from_memory(access, returned)
        self.uses.append((accepted, returned, wave.position, row))
        wave.simd.issued(wave, now, now + op.hold_clk)
