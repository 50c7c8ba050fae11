"""The pipes of one SIMD, and whether a wave's next instruction may issue into them (docs/model.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim.timing.ops import SCALAR, VALU, Op
from wavesim.timing.simpy_wave import LONG_AGO, UNKNOWN_CLK, Wave
from wavesim.trace import Kind, Reason

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


class Pipes:
    """State of the pipes, and by category the test that makes a wave a candidate.

    A test that fails gives the wave its reason and the slot in which it is tested again.
    """

    def __init__(self, unit: ComputeUnit, number: int) -> None:
        self.unit = unit
        self.slots = unit.slots
        self.memory = unit.memory
        self.p = unit.parameters
        self.slot = self.p.issue_slot_clk
        self.lgkm_max = self.p.counter_lgkm_max
        self.lgkm_entries_to_count = (self.lgkm_max - 1) // 2  # two counts each: fewer never fill it
        self.waves: list[Wave] = []  # by age
        self.port: LdsPort
        self.pipe_free = 0
        self.scaled_start = LONG_AGO
        self.valu_blocked_until = 0
        self.memory_blocked_until = 0
        self.valu_held_until = 0
        self.dual_from = 0  # no two VALU in a slot before
        self.turns = unit.turns
        self.uses = unit.log("mfma", number).uses
        self.tests = (  # by category: VALU, MFMA, LDS, VMEM, SCALAR, BRANCH, INTERNAL
            self._test_valu,
            self._test_mfma,
            self._test_lds,
            self._test_vmem,
            self._test_counters,
            self._test_counters,
            self._test_internal,
        )

    # -- waking

    def wake(self, wave: Wave, clk: int) -> None:
        """Test ``wave`` in the slot at ``clk``."""
        wave.ready_clk = clk
        waiting = self.slots.get(clk)
        if waiting is None:
            self.unit.open_slot(clk, wave)
        else:
            waiting.append(wave)

    def first_slot(self, clk: int) -> int:
        """The first slot not before ``clk``."""
        return -(-clk // self.slot) * self.slot

    def waits(self, wave: Wave, now: int, reason: int, until: int) -> bool:
        """The wave is no candidate for ``reason`` before ``until`` (UNKNOWN_CLK: an event says)."""
        if wave.stalled_for != reason:
            wave.stalled_for = reason
            wave.stalls.append((wave.row, reason, now))
        if until >= UNKNOWN_CLK:
            wave.ready_clk = until
            return False
        until = wave.ready_clk = -(-until // self.slot) * self.slot
        waiting = self.slots.get(until)
        if waiting is None:
            self.unit.open_slot(until, wave)
        else:
            waiting.append(wave)
        return False

    def review(self, now: int) -> None:
        """Something that stands before the present reasons began at ``now``: test again in the next slot."""
        again = now + self.slot
        for wave in self.waves:
            if wave.ready_clk > again and wave.stalled_for > MATRIX_PIPE:
                self.wake(wave, again)

    def retry(self, wave: Wave) -> None:
        """A return time became known while ``wave`` waits for accesses: find when its wait ends."""
        op = wave.op
        if wave.stalled_for == LGKMCNT and op.wait_lgkm is not None:
            until = wave.clk_when_at_most(wave.lgkm, op.wait_lgkm)
        elif wave.stalled_for == COUNTER_FULL and op.lgkm:
            until = wave.clk_when_at_most(wave.lgkm, self.lgkm_max - op.lgkm)
        else:
            return
        if until < UNKNOWN_CLK:
            self.wake(wave, self.first_slot(max(until, self.unit.now + 1)))

    def queue_known(self, port: LdsPort) -> None:
        """A queue entry's end became known: waves waiting for one look again then."""
        for wave in self.waves:
            if wave.stalled_for == LDS_QUEUE and wave.ready_clk >= UNKNOWN_CLK:
                until = port.free_clk(self.unit.now)
                if until < UNKNOWN_CLK:
                    self.wake(wave, max(self.first_slot(until), self.unit.now))

    # -- conditions 4 to 13 of §2

    def _is_counter_full(self, wave: Wave, op: Op, now: int) -> bool:
        """Whether the wave waits for its counter to count one more."""
        if op.lgkm and len(wave.lgkm) >= self.lgkm_entries_to_count:
            room = self.lgkm_max - op.lgkm
            if wave.outstanding(wave.lgkm, now) > room:
                self.waits(wave, now, COUNTER_FULL, wave.clk_when_at_most(wave.lgkm, room))
                return True
        if op.vm and len(wave.vm) >= self.p.counter_vm_max:
            room = self.p.counter_vm_max - op.vm
            if wave.outstanding(wave.vm, now) > room:
                self.waits(wave, now, COUNTER_FULL, wave.clk_when_at_most(wave.vm, room))
                return True
        return False

    def _test_valu(self, wave: Wave, op: Op, now: int) -> bool:
        if self.valu_blocked_until > now:
            return self.waits(wave, now, COISSUE, self.valu_blocked_until)
        if self.valu_held_until > now:
            return self.waits(wave, now, VALU_BUSY, self.valu_held_until)
        return True

    def _test_mfma(self, wave: Wave, op: Op, now: int) -> bool:
        free = self.scaled_start if op.scaled else self.pipe_free
        return free <= now or self.waits(wave, now, MATRIX_PIPE, free)

    def _test_lds(self, wave: Wave, op: Op, now: int) -> bool:
        if len(wave.lgkm) >= wave.lgkm_entries and self._is_counter_full(wave, op, now):
            return False
        if self.memory_blocked_until > now:
            return self.waits(wave, now, COISSUE, self.memory_blocked_until)
        port = self.port
        if port.held_until > now:
            return self.waits(wave, now, LDS_HOLD, port.held_until)
        if len(port.queue) >= port.entries:
            free = port.free_clk(now)
            if free > now:
                return self.waits(wave, now, LDS_QUEUE, free)
        return True

    def _test_vmem(self, wave: Wave, op: Op, now: int) -> bool:
        if wave.attempt[wave.row] == now:
            wave.vm_not_before = self.memory.attempt(now)
        if (op.lgkm or len(wave.vm) >= self.p.counter_vm_max) and self._is_counter_full(wave, op, now):
            return False
        if self.memory_blocked_until > now:
            return self.waits(wave, now, COISSUE, self.memory_blocked_until)
        free = max(wave.vm_not_before, self.memory.free_clk(now))
        return free <= now or self.waits(wave, now, VMEM_QUEUE, free)

    def _test_counters(self, wave: Wave, op: Op, now: int) -> bool:
        return not self._is_counter_full(wave, op, now)

    def _test_internal(self, wave: Wave, op: Op, now: int) -> bool:
        if op.wait_lgkm is not None and wave.outstanding(wave.lgkm, now) > op.wait_lgkm:
            return self.waits(wave, now, LGKMCNT, wave.clk_when_at_most(wave.lgkm, op.wait_lgkm))
        if op.wait_vm is not None and wave.outstanding(wave.vm, now) > op.wait_vm:
            return self.waits(wave, now, VMCNT, wave.clk_when_at_most(wave.vm, op.wait_vm))
        if op.is_barrier:
            if wave.release_clk < 0:
                return self.waits(wave, now, BARRIER, UNKNOWN_CLK)
            issue = wave.release_clk - self.slot
            return issue <= now or self.waits(wave, now, BARRIER, issue)
        return True

    # -- what an issue leaves behind

    def note(self, wave: Wave, op: Op, clk: int) -> None:
        """What a wave's later instructions must know of a VALU, SALU, s_setprio issued at ``clk``."""
        if op.category == VALU:
            if self.turns is not None:
                self.turns.saw(clk)
            wave.last_valu = clk
            if op.writes_sgpr:
                wave.last_valu_sgpr = clk
        elif op.category == SCALAR:
            wave.last_salu = clk
            for register in op.sgpr_writes:
                wave.sgpr_written[register] = clk
        elif op.kind is Kind.SETPRIO:
            wave.set_priority(op.priority)

    def start_mfma(self, wave: Wave, op: Op, now: int) -> int:
        """An MFMA issues: pipe, blocks and log; its end."""
        start = now
        end = now + self.slot
        if op.scaled:
            start = max(now + self.p.mfma_scale_load_clk, self.pipe_free)
            self.scaled_start = start
            end = start + self.slot
        if self.turns is not None:
            self.turns.saw(now)
            self.turns.saw(start)
        free = self.pipe_free = wave.done[wave.row] = start + op.pipe_clk
        self.dual_from = free + self.p.issue_dual_after_mfma_clk
        if (blocked := start + op.blocks_valu) > self.valu_blocked_until:
            self.valu_blocked_until = blocked
        if op.blocks_memory or op.scaled:  # issued ahead of time, one that blocks nothing must not seem to
            self.memory_blocked_until = max(self.memory_blocked_until, start + op.blocks_memory)
        self.uses.append((start, free, wave.position, wave.row))
        if op.reviewed:
            self.review(now)
        return end
