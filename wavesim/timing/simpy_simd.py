"""The issue arbiter of one SIMD: tests its waves and chooses by rank (docs/model.md §2, §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim.timing.ops import BRANCH, INTERNAL, LDS, MFMA, SCALAR, VALU, VMEM, Op
from wavesim.timing.simpy_ahead import Ahead
from wavesim.timing.simpy_wave import LONG_AGO, UNKNOWN_CLK, Access, Wave
from wavesim.trace import UNKNOWN, Kind, Reason

if TYPE_CHECKING:
    from wavesim.timing.simpy_engine import ComputeUnit
    from wavesim.timing.simpy_ports import LdsPort

BARRIER, LGKMCNT, VMCNT, COUNTER_FULL = (
    int(Reason.BARRIER),
    int(Reason.LGKMCNT),
    int(Reason.VMCNT),
    int(Reason.COUNTER_FULL),
)
MATRIX_PIPE, COISSUE, VALU_BUSY = int(Reason.MATRIX_PIPE), int(Reason.MFMA_COISSUE), int(Reason.VALU_BUSY)
LDS_HOLD, LDS_QUEUE, VMEM_QUEUE = int(Reason.LDS_HOLD), int(Reason.LDS_QUEUE), int(Reason.VMEM_QUEUE)
ARBITRATION, PORT = int(Reason.ARBITRATION), int(Reason.PORT)


class Simd:
    """One SIMD's arbiter and the state of its pipes."""

    def __init__(self, unit: ComputeUnit, number: int) -> None:
        self.unit = unit
        self.number = number
        self.p = unit.parameters
        self.slot = self.p.issue_slot_clk
        self.lgkm_entries_to_count = (
            self.p.counter_lgkm_max - 1
        ) // 2  # two counts each: fewer never fill it
        self.drains = "endpgm_drain" not in self.p.rules_off
        self.arbitrates = "arbitration" not in self.p.rules_off
        self.waves: list[Wave] = []  # by age
        self.port: LdsPort
        self.pipe_free = 0
        self.scaled_start = LONG_AGO
        self.valu_blocked_until = 0
        self.memory_blocked_until = 0
        self.valu_held_until = 0
        self.reason = -1  # why the wave tested last is no candidate
        self.wakes: set[int] = set()
        self.candidates: list[Wave] = []
        self.chosen: list[Op] = []
        self.denied: list[Wave] = []
        self.busy = unit.log("mfma", number)

    # -- waking

    def wake(self, clk: int) -> None:
        """Look at this SIMD's waves in the first slot not before ``clk``."""
        clk = -(-clk // self.slot) * self.slot
        if clk not in self.wakes:
            self.wakes.add(clk)
            self.unit.wake_at(clk, self)

    def review(self, now: int) -> None:
        """Something that stands before the present reasons began at ``now``: test again in the next slot."""
        again = now + self.slot
        for wave in self.waves:
            if wave.ready_clk > again and wave.stalled_for > MATRIX_PIPE:
                wave.ready_clk = again
                self.wake(again)

    def retry(self, wave: Wave) -> None:
        """A return time became known while ``wave`` waits for accesses: find when its wait ends."""
        op = wave.code[wave.row]
        if wave.stalled_for == LGKMCNT and op.wait_lgkm is not None:
            until = wave.clk_when_at_most(wave.lgkm, op.wait_lgkm)
        elif wave.stalled_for == COUNTER_FULL and op.lgkm:
            until = wave.clk_when_at_most(wave.lgkm, self.p.counter_lgkm_max - op.lgkm)
        else:
            return
        if until < UNKNOWN_CLK:
            until = max(until, self.unit.now + 1)
            wave.ready_clk = -(-until // self.slot) * self.slot
            self.wake(until)

    def queue_known(self, port: LdsPort) -> None:
        """A queue entry's end became known: waves waiting for one look again then."""
        for wave in self.waves:
            if wave.stalled_for == LDS_QUEUE and wave.ready_clk >= UNKNOWN_CLK:
                until = port.free_clk(self.unit.now)
                if until < UNKNOWN_CLK:
                    wave.ready_clk = max(-(-until // self.slot) * self.slot, self.unit.now)
                    self.wake(wave.ready_clk)

    # -- the slot

    def choose(self, now: int) -> None:
        """Test the waves that can be ready; choose among the candidates by rank."""
        self.wakes.discard(now)
        candidates = []
        for wave in self.waves:
            if wave.ready_clk <= now:
                op = wave.op
                if op.free or not (until := self._test(wave, op, now)):
                    candidates.append(wave)
                    continue
                if wave.stalled_for != self.reason:
                    wave.stall(now, self.reason)
                if until < UNKNOWN_CLK:
                    until = -(-until // self.slot) * self.slot
                    if until not in self.wakes:
                        self.wakes.add(until)
                        self.unit.wake_at(until, self)
                wave.ready_clk = until
        if not candidates:
            return
        self.candidates = candidates
        self.denied = []
        if len(candidates) == 1:
            wave = candidates[0]
            op = wave.op
            self.chosen = [op]
            self._go(wave, op, now)
            return
        candidates.sort(key=_rank)
        self.chosen = []
        taken = []
        for wave in candidates:
            op = wave.op
            reason = self._fits(op)
            if reason < 0:
                self.chosen.append(op)
                taken.append((wave, op))
            else:
                self._lost(wave, reason, now)
        for wave, op in taken:
            self._go(wave, op, now)

    def _go(self, wave: Wave, op: Op, now: int) -> None:
        """A chosen instruction issues, or asks its port."""
        if op.category == LDS:
            self.port.ask(self, wave)
        elif op.category == VMEM:
            self.unit.memory.ask(self, wave)
        else:
            self._issue(wave, op, now)

    def _lost(self, wave: Wave, reason: int, now: int) -> None:
        if wave.stalled_for != reason:
            wave.stall(now, reason)
        again = wave.ready_clk = now + self.slot
        if again not in self.wakes:
            self.wakes.add(again)
            self.unit.wake_at(again, self)

    def _fits(self, op: Op) -> int:
        """-1 if ``op`` can be chosen beside what is chosen already, else why not."""
        category = op.category
        if category == INTERNAL:
            return -1
        same = 0
        for other in self.chosen:
            if other.category == category and (self.arbitrates or category == MFMA):
                if category != VALU or not (op.plain and other.plain):
                    return ARBITRATION
                same += 1
        if same and same >= self.p.issue_plain_valu_per_slot:
            return ARBITRATION
        for other in self.chosen:
            if _conflict(op, other) or _conflict(other, op):
                return COISSUE
        return -1

    def deny(self, wave: Wave) -> None:
        """A port went to another SIMD: after all ports have granted, fill up."""
        if not self.denied:
            self.unit.to_fill.append(self)
        self.denied.append(wave)
        self.chosen.remove(wave.op)
        self._lost(wave, PORT, self.unit.now)

    def fill(self) -> None:
        """Candidates without a port that were kept out by what was denied."""
        now = self.unit.now
        for wave in self.candidates:
            if wave in self.denied or wave.ready_clk != now + self.slot or wave.stalled_for < 0:
                continue
            if wave.stalled_for not in (ARBITRATION, COISSUE):
                continue
            op = wave.op
            if op.category in (LDS, VMEM):
                continue
            reason = self._fits(op)
            if reason < 0:
                self.chosen.append(op)
                self._issue(wave, op, now)
            else:
                wave.stall(now, reason)

    # -- conditions 4 to 13 of §2

    def _test(self, wave: Wave, op: Op, now: int) -> int:
        """0 for a candidate, else when ``self.reason`` ends (UNKNOWN_CLK: an event says)."""
        category = op.category
        if category == INTERNAL:
            return self._test_internal(wave, op, now)
        if category == VMEM and wave.attempt[wave.row] == now:
            wave.vm_not_before = self.unit.memory.attempt(now)
        if op.lgkm and len(wave.lgkm) >= self.lgkm_entries_to_count:
            room = self.p.counter_lgkm_max - op.lgkm
            if wave.outstanding(wave.lgkm, now) > room:
                self.reason = COUNTER_FULL
                return wave.clk_when_at_most(wave.lgkm, room)
        if op.vm and len(wave.vm) >= self.p.counter_vm_max:
            room = self.p.counter_vm_max - op.vm
            if wave.outstanding(wave.vm, now) > room:
                self.reason = COUNTER_FULL
                return wave.clk_when_at_most(wave.vm, room)
        if category == MFMA:
            free = self.scaled_start if op.scaled else self.pipe_free
            if free > now:
                self.reason = MATRIX_PIPE
                return free
        elif category == VALU:
            if self.valu_blocked_until > now:
                self.reason = COISSUE
                return self.valu_blocked_until
            if self.valu_held_until > now:
                self.reason = VALU_BUSY
                return self.valu_held_until
        elif category in (LDS, VMEM):
            if self.memory_blocked_until > now:
                self.reason = COISSUE
                return self.memory_blocked_until
            if category == VMEM:
                self.reason = VMEM_QUEUE
                free = max(wave.vm_not_before, self.unit.memory.free_clk(now))
            else:
                port = self.port
                if port.held_until > now:
                    self.reason = LDS_HOLD
                    return port.held_until
                if len(port.queue) < port.entries:
                    return 0
                self.reason = LDS_QUEUE
                free = port.free_clk(now)
            return free if free > now else 0
        return 0

    def _test_internal(self, wave: Wave, op: Op, now: int) -> int:
        if op.wait_lgkm is not None and wave.outstanding(wave.lgkm, now) > op.wait_lgkm:
            self.reason = LGKMCNT
            return wave.clk_when_at_most(wave.lgkm, op.wait_lgkm)
        if op.wait_vm is not None and wave.outstanding(wave.vm, now) > op.wait_vm:
            self.reason = VMCNT
            return wave.clk_when_at_most(wave.vm, op.wait_vm)
        if op.is_barrier:
            self.reason = BARRIER
            if wave.release_clk < 0:
                return UNKNOWN_CLK
            issue = wave.release_clk - self.slot
            return issue if issue > now else 0
        return 0

    # -- issue

    def _issue(self, wave: Wave, op: Op, now: int) -> None:
        end = now + op.hold_clk
        row = wave.row
        if op.category == MFMA:
            end = self.start_mfma(wave, op, now)
        elif op.batch:
            self.note(wave, op, now)
        elif op.category == VALU:
            self.note(wave, op, now)
            self.valu_held_until = end
            self.review(now)
        elif op.category == SCALAR:
            if op.lgkm:
                access = Access(wave, row, now, op.lgkm)
                latency = wave.memory_latency[row]
                access.ret = now + (op.latency_clk if latency == UNKNOWN else latency)
                wave.done[row] = access.ret
                wave.lgkm.append(access)
        elif op.kind is Kind.ENDPGM:
            if wave.vm_return > end and self.drains:
                end = -(-wave.vm_return // self.slot) * self.slot
        elif op.kind is Kind.BARRIER:
            end = wave.release_clk
            wave.arrival_clk = wave.release_clk = -1
        self.issued(wave, end)

    def note(self, wave: Wave, op: Op, clk: int) -> None:
        """What a wave's later instructions must know of a VALU, SALU, s_setprio issued at ``clk``."""
        if op.category == VALU:
            wave.last_valu = clk
            if op.writes_sgpr:
                wave.last_valu_sgpr = clk
        elif op.category == SCALAR:
            wave.last_salu = clk
            for register in op.sgpr_writes:
                wave.sgpr_written[register] = clk
        elif op.kind is Kind.SETPRIO:
            wave.priority = op.priority

    def start_mfma(self, wave: Wave, op: Op, now: int) -> int:
        """An MFMA issues: pipe, blocks and log; its end."""
        start = now
        end = now + self.slot
        if op.scaled:
            start = max(now + self.p.mfma_scale_load_clk, self.pipe_free)
            self.scaled_start = start
            end = start + self.slot
        self.pipe_free = start + op.pipe_clk
        self.valu_blocked_until = max(self.valu_blocked_until, start + op.blocks_valu)
        if op.blocks_memory or op.scaled:  # issued ahead of time, one that blocks nothing must not seem to
            self.memory_blocked_until = max(self.memory_blocked_until, start + op.blocks_memory)
        wave.done[wave.row] = self.pipe_free
        self.busy.add(start, self.pipe_free, wave.position, wave.row)
        if max(op.blocks_valu, op.blocks_memory) > self.slot or op.scaled:
            self.review(now)
        return end

    def issued(self, wave: Wave, end: int) -> None:
        """Book the issue of the wave's instruction in this slot and move on to its next one."""
        now = self.unit.now
        row = wave.row
        op = wave.op
        if wave.stalled_for >= 0:
            wave.stop_stalling(now)
        wave.issue[row] = now
        wave.end[row] = end
        if not op.returns:
            wave.done[row] = now
        if op.is_head:
            self.unit.head_issued(wave)
        following = row + 1
        jumped = False
        if op.category == BRANCH:
            jumped = not op.conditional or wave.taken[row]
        if wave.spin_of_last and row in wave.spin_of_last:
            following, jumped = self.unit.spin(wave, jumped)
            if following < 0:
                return
        if following >= wave.length or op.kind is Kind.ENDPGM:
            wave.row = following
            wave.ready_clk = UNKNOWN_CLK
            self.unit.finish(wave, end, op.kind is Kind.ENDPGM)
            return
        ahead: Ahead | None = None
        while True:
            wave.row = following
            after = wave.op = wave.code[following]
            if (
                after.ungapped
                and op.first_chunk == after.first_chunk
                and op.last_chunk == after.last_chunk
                and not jumped
                and not op.conditional
            ):
                wave.attempt[following] = wave.ready_clk = end  # nothing to fetch, no gap: the common case
                if after.category == MFMA and not after.scaled and self.pipe_free > end:
                    wave.stall(end, MATRIX_PIPE)  # no other MFMA can begin before the pipe is free
                    end = wave.ready_clk = self.pipe_free
            else:
                if jumped or op.conditional or op.first_chunk != after.first_chunk:
                    wave.fetch_after(op, after, jumped, now)
                wave.enter(end)
                end = wave.ready_clk
            if not after.batch or wave.spin_of_last or after.is_head or following + 1 >= wave.length:
                break
            if ahead is None:
                ahead = Ahead(self, wave, now)
            now = ahead.issue_clk(after, end)
            if now < 0:
                break
            end = ahead.issue(after, now)
            op, jumped, following = after, False, following + 1
        if after.is_barrier:
            self.unit.expect_arrival(wave)
        if end not in self.wakes:
            self.wakes.add(end)
            self.unit.wake_at(end, self)


def _rank(wave: Wave) -> tuple[int, bool, int]:
    return (-wave.priority, wave.op.scaled_last, wave.age)


def _conflict(first: Op, second: Op) -> bool:
    if first.category != MFMA:
        return False
    if second.category == VALU:
        return first.blocks_valu >= 4
    return second.category in (LDS, VMEM) and first.blocks_memory >= 4
