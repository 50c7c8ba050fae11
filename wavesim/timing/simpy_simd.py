"""The issue arbiter of one SIMD: chooses among its candidates by rank, and books what issues (§11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim.timing.ops import BRANCH, INTERNAL, LDS, MFMA, SCALAR, VALU, VMEM, Op
from wavesim.timing.simpy_pipes import COISSUE, MATRIX_PIPE, Pipes
from wavesim.timing.simpy_stream import BY_ENTRY, NEXT_CHUNK, SPECIAL
from wavesim.timing.simpy_wave import NO_REASON, UNKNOWN_CLK, Access, Wave
from wavesim.trace import UNKNOWN, Kind, Reason

if TYPE_CHECKING:
    from wavesim.timing.simpy_engine import ComputeUnit

ARBITRATION, PORT = int(Reason.ARBITRATION), int(Reason.PORT)


class Simd(Pipes):
    """One SIMD's arbiter."""

    def __init__(self, unit: ComputeUnit, number: int) -> None:
        super().__init__(unit, number)
        self.number = number
        self.drains = "endpgm_drain" not in self.p.rules_off
        self.arbitrates = "arbitration" not in self.p.rules_off
        self.choosing_clk = -1  # the slot that ``candidates`` are of
        self.candidates: list[Wave] = []
        self.chosen: list[Op] = []
        self.denied: list[Wave] = []

    # -- the slot

    def choose(self, now: int) -> None:
        """Choose among several candidates by rank; what is chosen issues or asks its port."""
        candidates = self.candidates
        candidates.sort(key=_rank)
        self.denied = []
        self.chosen = []
        taken = []
        for wave in candidates:
            op = wave.op
            reason = self._fits(op)
            if reason < 0:
                self.chosen.append(op)
                taken.append(wave)
            else:
                self.waits(wave, now, reason, now + self.slot)
        for wave in taken:
            self.go(wave, now)

    def go(self, wave: Wave, now: int) -> None:
        """A chosen instruction issues, or asks its port."""
        category = wave.op.category
        if category != LDS and category != VMEM:
            self._issue(wave, wave.op, now)
            return
        port = self.port if category == LDS else self.memory
        if not port.asking:
            self.unit.asked.append(port)
        port.asking.append(wave)

    def _fits(self, op: Op) -> int:
        """-1 if ``op`` can be chosen beside what is chosen already, else why not."""
        category = op.category
        if category == INTERNAL or not self.chosen:
            return -1
        same = 0
        for other in self.chosen:
            if other.category == category and (self.arbitrates or category == MFMA):
                if category != VALU or not (op.plain and other.plain):
                    return ARBITRATION
                same += 1
        if same and (
            same >= self.p.issue_plain_valu_per_slot or op.writes_sgpr or self.dual_from > self.unit.now
        ):
            return ARBITRATION
        for other in self.chosen:
            if _conflict(op, other) or _conflict(other, op):
                return COISSUE
        return -1

    def deny(self, wave: Wave, now: int, full: int, full_until: int) -> None:
        """A port went to another SIMD, its queue is ``full`` (the reason) until then: after all ports have
        granted, fill up."""
        if len(self.candidates) > 1:
            if not self.denied:
                self.unit.to_fill.append(self)
            self.denied.append(wave)
            self.chosen.remove(wave.op)
        again = now + self.slot
        if full_until <= again or full_until >= UNKNOWN_CLK or self.memory_blocked_until > again:
            self.waits(wave, now, PORT, again)
            return
        if wave.stalled_for != PORT:
            wave.stalled_for = PORT
            wave.stalls.append((wave.row, PORT, now))
        self.waits(wave, again, full, full_until)  # as the next test would find

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
            elif wave.stalled_for != reason:
                wave.stalled_for = reason
                wave.stalls.append((wave.row, reason, now))

    # -- issue

    def _issue(self, wave: Wave, op: Op, now: int) -> None:
        end = now + op.hold_clk
        category = op.category
        if category == MFMA:
            end = self.start_mfma(wave, op, now)
        elif op.batch:
            self.note(wave, op, now)
        elif category == VALU:
            self.note(wave, op, now)
            self.valu_held_until = end
            self.review(now)
        elif category == SCALAR:
            if op.lgkm:
                row = wave.row
                latency = wave.memory_latency[row]
                returned = now + (op.latency_clk if latency == UNKNOWN else latency)
                wave.done[row] = returned
                if wave.spinning is None:
                    self.unit.news_clk = max(self.unit.news_clk, returned)
                wave.lgkm.append(Access(wave, now, op.lgkm, returned))
                wave.lgkm_entries = self.lgkm_entries_to_count
        elif op.kind is Kind.ENDPGM:
            if wave.vm_return > end and self.drains:
                end = self.first_slot(wave.vm_return)
        elif op.is_barrier:
            end = wave.release_clk
            wave.arrival_clk = wave.release_clk = -1
        self.issued(wave, now, end)

    def issued(self, wave: Wave, now: int, end: int) -> None:
        """Book the issue of the wave's instruction at ``now`` and move on to its next one."""
        row = wave.row
        op = wave.op
        wave.stalled_for = -1
        wave.issue[row] = now
        wave.end[row] = end
        wave.ahead.now = now
        following = row + 1
        while True:
            if wave.spinning is None and self.unit.news_clk < end:
                self.unit.news_clk = end
            step = wave.step[following]
            if step == SPECIAL:
                following = self._leave(wave, op, now, end)
                if following < 0:
                    return
                after = wave.op
                end = wave.ready_clk
            else:
                wave.row = following
                after = wave.op = wave.code[following]
                if step == NEXT_CHUNK:
                    wave.next_chunk(op, after, now, end)
                    end = wave.ready_clk
                elif step == BY_ENTRY:
                    if op.first_chunk != after.first_chunk:
                        wave.fetch_after(op, after, False, now)
                    wave.enter(end)
                    end = wave.ready_clk
                else:  # nothing to fetch, no gap: the common case
                    wave.attempt[following] = end
                    if after.category == MFMA and not after.scaled and self.pipe_free > end:
                        wave.stalled_for = MATRIX_PIPE  # no other can begin before the pipe is free
                        wave.stalls.append((following, MATRIX_PIPE, end))
                        end = self.pipe_free
            if not wave.batch[following]:
                break
            next_end = wave.ahead.issue(after, end)
            if next_end < 0:
                break
            now, end = wave.ahead.issue_clk, next_end
            op = after
            following += 1
        if after.is_barrier:
            self.unit.expect_arrival(wave, end)
            return
        wave.ready_clk = end
        waiting = self.slots.get(end)
        if waiting is None:
            self.unit.open_slot(end, wave)
        else:
            waiting.append(wave)

    def _leave(self, wave: Wave, op: Op, now: int, end: int) -> int:
        """Enter what comes after a branch, the watched loop head, a polling loop; -1 at the stream's end."""
        row = wave.row
        if op.is_head:
            self.unit.head_issued(wave)
        jumped = False
        following = row + 1
        if op.category == BRANCH:
            jumped = not op.conditional or wave.taken[row]
        if wave.spin_of_last:
            wave.stalls.append((row, NO_REASON, now))  # it may issue again
            if row in wave.spin_of_last:
                following, jumped = self.unit.spin(wave, jumped)
                if following < 0:
                    return -1
        if following >= wave.length or op.kind is Kind.ENDPGM:
            wave.row = following
            wave.ready_clk = UNKNOWN_CLK
            self.unit.finish(wave, end, op.kind is Kind.ENDPGM)
            return -1
        wave.row = following
        after = wave.op = wave.code[following]
        if jumped or op.conditional or op.first_chunk != after.first_chunk:
            wave.fetch_after(op, after, jumped, now)
        wave.enter(end)
        return following


def _rank(wave: Wave) -> int:
    return wave.rank + wave.op.rank


def _conflict(first: Op, second: Op) -> bool:
    if first.category != MFMA:
        return False
    if second.category == VALU:
        return first.blocks_valu >= 4
    return second.category in (LDS, VMEM) and first.blocks_memory >= 4
