"""Teacher-forced prediction: each instruction's issue clock, every earlier issue being as measured.

The rules are those of the clock-stepped reference (docs/model.md); only what issues is taken from the
measured timeline instead of the model's own grants, so that an error stays with the instruction that shows
it. An instruction whose conditions hold before it was seen to issue is predicted early; one that was seen
although a condition did not hold is predicted at the clock at which that condition would have ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.reference_machine import VECTOR_CATEGORIES, Machine
from wavesim.timing.reference_state import NEVER, Outstanding, Wave
from wavesim.timing.rules import plain_inputs
from wavesim.trace import Category, Kind, Timeline, Trace

Int64 = npt.NDArray[np.int64]

Late = tuple[int, int, int, Outstanding, int]
"""(wave, row, clock from the other conditions, accesses counted, how many may be outstanding)."""


class _Sweep:
    """Goes through the measured issues in order of time, asking the model about each."""

    def __init__(self, measured: Timeline, trace: Trace, p: TimingParameters) -> None:
        self.p = p
        self.slot = p.issue_slot_clk
        self.machine = Machine(trace, p)
        self.waves = self.machine.waves
        self.seen: list[list[int]] = [
            (wave.issue_clk // self.slot * self.slot).tolist() for wave in measured.waves
        ]
        self.predicted = [[-1] * len(issue) for issue in self.seen]
        self.test_clk = [wave.free_clk for wave in self.waves]
        self.arrived: dict[tuple[int, int], int] = {}
        self.halves: list[frozenset[int]] = []
        for wave, timed, seen in zip(self.waves, measured.waves, self.seen, strict=True):
            scaled = np.array([entry.scaled for entry in wave.code], np.bool_)
            stalled = scaled & (timed.issue_clk > timed.attempt_clk) & measured.measured
            self.halves.append(frozenset(np.flatnonzero(stalled).tolist()))
            for row in self.halves[-1]:
                seen[row] -= p.mfma_scale_load_clk
        self.late: list[Late] = []

    # -- time

    def serve_lds_before(self, clk: int) -> None:
        """The bank array's late phases of all clocks before ``clk``."""
        lds = self.machine.lds
        while True:
            heads = [
                max(waiting[0].head_clk, done)
                for waiting, done in zip(lds.waiting, lds.previous_done, strict=True)
                if waiting
            ]
            heads += [access.head_clk for access in lds.from_memory]
            soonest = min(heads, default=NEVER)
            if soonest >= clk:
                return
            lds.late_phase(soonest)

    def run(self, until_clk: int) -> None:
        """Every slot before ``until_clk`` in which something issues or may."""
        left = [position for position, issues in enumerate(self.seen) if issues]
        while left:
            now = min(self.next_clk(position) for position in left)
            if now >= until_clk:
                break
            self.serve_lds_before(now)
            issuing = [position for position in left if self.seen[position][self.waves[position].row] == now]
            self.grant(left, issuing, now)
            for position in issuing:
                wave = self.waves[position]
                if self.predicted[position][wave.row] < 0:
                    self.predict_late(wave, now)
            for position in issuing:
                self.issue(self.waves[position], now)
            if issuing:
                left = [position for position in left if self.waves[position].finish_clk is None]
        self.serve_lds_before(NEVER)
        self.settle_late()

    def next_clk(self, position: int) -> int:
        """The next slot in which this wave matters."""
        wave = self.waves[position]
        seen: int = self.seen[position][wave.row]
        if self.predicted[position][wave.row] >= 0:
            return seen
        return min(seen, self.test_clk[position])

    # -- one instruction

    def grant(self, left: Sequence[int], issuing: Sequence[int], now: int) -> None:
        """Predict what the model would issue in this slot, all that could issue competing (§11)."""
        waiting = [
            self.waves[position]
            for position in left
            if self.test_clk[position] <= now and self.predicted[position][self.waves[position].row] < 0
        ]
        open_ones = [wave for wave in waiting if self.is_candidate(wave, now)]
        if not open_ones:
            return
        candidates: dict[int, list[Wave]] = {}
        for wave in open_ones:
            candidates.setdefault(wave.trace.simd, []).append(wave)
        for position in left:  # what was granted before but not seen to issue yet, and what issues now
            wave = self.waves[position]
            if wave in waiting or wave.entry.kind is Kind.BARRIER:
                rival = position in issuing and wave not in open_ones
            else:
                ready = self.predicted[position][wave.row] >= 0 and self.machine.test(wave, now) is None
                rival = position in issuing or ready
            if rival:
                candidates.setdefault(wave.trace.simd, []).append(wave)
        machine = self.machine
        before = dict(machine.last_lds_simd), machine.last_vmem
        granted = machine.arbitrate(candidates, {}, now)
        machine.last_lds_simd, machine.last_vmem = before
        self.see_turn(candidates, issuing, now)
        for wave in open_ones:
            if wave in granted:
                self.predict(wave, now)
            else:
                self.test_clk[wave.position] = now + self.slot

    def see_turn(self, candidates: dict[int, list[Wave]], issuing: Sequence[int], now: int) -> None:
        """Rule ``vector_turns``: a SIMD that issues while the one whose turn it is asks has the turn."""
        turns = self.machine.turns
        if not turns.is_restricted(now):
            return
        asking = {
            simd
            for simd, waves in candidates.items()
            if any(wave.entry.category in VECTOR_CATEGORIES for wave in waves)
        }
        issued = {
            self.waves[position].trace.simd
            for position in issuing
            if self.waves[position].entry.category in VECTOR_CATEGORIES
        }
        if len(issued) == 1:
            turns.seen(issued.pop(), asking, now)

    def is_candidate(self, wave: Wave, now: int) -> bool:
        """Whether the wave's conditions hold; if not, when to look again."""
        position, slot = wave.position, self.slot
        if wave.free_clk > now:
            self.test_clk[position] = -(-wave.free_clk // slot) * slot
            return False
        if wave.entry.kind is Kind.BARRIER:  # predicted from all arrivals, see barriers()
            if wave.fetch_reason(now) is None:
                self.arrived[position, wave.row] = now
                self.test_clk[position] = NEVER
            else:
                self.test_clk[position] = -(-max(wave.usable_clk()) // slot) * slot
            return False
        if self.machine.test(wave, now) is not None:
            until = self.known_end(wave, now)
            if wave.attempt[wave.row] < 0:  # its attempt is to be noted first: conditions 1 to 3
                until = max([wave.gap_clk(), *wave.usable_clk()])
            self.test_clk[position] = max(now + slot, -(-until // slot) * slot)
            return False
        return True

    def predict(self, wave: Wave, clk: int) -> None:
        """The model would issue the wave's next instruction at ``clk``."""
        if self.is_second_half(wave):
            pipe_free = self.machine.simds[wave.trace.simd].pipe_free
            clk = max(clk + self.p.mfma_scale_load_clk, pipe_free)
        self.predicted[wave.position][wave.row] = clk
        if wave.entry.category in VECTOR_CATEGORIES and self.machine.turns.called:
            for asked in range(clk, self.seen[wave.position][wave.row], self.slot):
                self.machine.turns.saw(asked)  # what asks keeps the turns going round

    def is_second_half(self, wave: Wave) -> bool:
        """Whether a trace reports the matrix half of the wave's scaled MFMA: it does if that stalled (M4)."""
        return wave.entry.scaled and wave.row in self.halves[wave.position]

    def issue(self, wave: Wave, now: int) -> None:
        """What was seen to issue does."""
        machine, entry, row = self.machine, wave.entry, wave.row
        if entry.category is Category.LDS:
            machine.last_lds_simd[machine.pair_of[wave.trace.simd]] = wave.trace.simd
        elif entry.category is Category.VMEM:
            machine.last_vmem = (wave.trace.simd, wave.position, row)
        machine.issue(wave, now)
        self.test_clk[wave.position] = max(now + self.slot, -(-wave.free_clk // self.slot) * self.slot)

    # -- when conditions end

    def known_end(self, wave: Wave, now: int) -> int:
        """The end of the conditions whose end is known, counters and accesses not served yet left out."""
        machine, entry, p = self.machine, wave.entry, self.p
        known = [clk for clk in wave.usable_clk() if clk > now]
        ends = [now, wave.free_clk, wave.gap_clk(), *known]
        simd = machine.simds[wave.trace.simd]
        if entry.category is Category.MFMA:
            ends.append(simd.scaled_start if entry.scaled else simd.pipe_free)
        elif entry.category is Category.VALU:
            ends += [simd.valu_blocked_until, simd.valu_held_until]
        elif entry.category is Category.LDS:
            pair = machine.pair_of[wave.trace.simd]
            ends += [simd.memory_blocked_until, machine.lds.held_until[pair]]
            if machine.lds.is_full(pair, now):
                frees = sorted(access.queue_free_clk for access in machine.lds.queue[pair])
                free = frees[len(frees) - p.lds_queue_entries]
                ends.append(free if free < NEVER else now + self.slot)
        elif entry.category is Category.VMEM:
            ends += [simd.memory_blocked_until, wave.vmem_from_clk]
            if machine.memory.is_full(now):
                ends.append(machine.memory.accepted[-p.memory_queue_entries])
        for queue, allowed in self.counted(wave):
            if all(returns[0] < NEVER for returns, _ in queue):
                ends.append(_when_at_most(queue, allowed))
        return max(ends)

    def counted(self, wave: Wave) -> list[tuple[Outstanding, int]]:
        """(accesses, how many may be outstanding) for each counter that the next instruction looks at."""
        entry, p = wave.entry, self.p
        found = []
        if entry.wait_lgkmcnt is not None:
            found.append((wave.lgkm, entry.wait_lgkmcnt))
        elif entry.lgkm_increment:
            found.append((wave.lgkm, p.counter_lgkm_max - entry.lgkm_increment))
        if entry.wait_vmcnt is not None:
            found.append((wave.vm, entry.wait_vmcnt))
        elif entry.vm_increment:
            found.append((wave.vm, p.counter_vm_max - entry.vm_increment))
        return found

    def predict_late(self, wave: Wave, now: int) -> None:
        """It issued although a condition did not hold: when would the last one have ended?"""
        position, row = wave.position, wave.row
        if wave.entry.kind is Kind.BARRIER:
            return
        end = self.known_end(wave, now)
        self.predict(wave, max(now + self.slot, -(-end // self.slot) * self.slot))
        for queue, allowed in self.counted(wave):
            self.late.append((position, row, self.predicted[position][row], list(queue), allowed))

    def settle_late(self) -> None:
        """Returns that were not known when an instruction issued too early for them are known now."""
        for position, row, other, queue, allowed in self.late:
            end = max(other, self.predicted[position][row], _when_at_most(queue, allowed))
            self.predicted[position][row] = -(-end // self.slot) * self.slot

    def barriers(self, measured: Timeline) -> None:
        """§8 with measured arrivals: the k-th barrier of a workgroup's waves is one barrier."""
        p, order = self.p, self.p.barrier_simd_order
        groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for position, wave in enumerate(self.waves):
            kinds = [entry.kind is Kind.BARRIER for entry in wave.code]
            for number, row in enumerate(np.flatnonzero(kinds).tolist()):
                groups.setdefault((wave.trace.workgroup, number), []).append((position, row))
        for members in groups.values():
            arrived = [
                (
                    self.arrived.get((position, row), int(measured.waves[position].attempt_clk[row])),
                    order.index(self.waves[position].trace.simd),
                )
                for position, row in members
            ]
            last_clk, last_place = max(arrived)
            for (position, row), (_, place) in zip(members, arrived, strict=True):
                early = place > last_place
                after = p.barrier_release_early_clk if early else p.barrier_release_late_clk
                self.predicted[position][row] = last_clk + after - self.slot


def _when_at_most(queue: Outstanding, allowed: int) -> int:
    """The clock from which no more than ``allowed`` of the accesses are outstanding."""
    left = sum(count for _, count in queue)
    clk = 0
    for returned, count in sorted((returns[0], count) for returns, count in queue):
        if left <= allowed:
            break
        left -= count
        clk = returned
    return clk if clk < NEVER else 0


def forced_issue_clk(
    measured: Timeline, trace: Trace, parameters: TimingParameters, until_clk: int = NEVER
) -> tuple[Int64, ...]:
    """Predicted issue clock of every row, per wave of the trace; -1 for rows that were not come to.

    Args:
        measured: the issue clocks that are taken as given.
        trace: the same streams, with global-memory latencies and bank conflicts as far as known.
        parameters: the machine's numbers, ``rules_off`` included.
        until_clk: rows that issue from this clock on are left out.
    """
    if parameters.rules_off:
        trace, parameters = plain_inputs(trace, parameters)
    sweep = _Sweep(measured, trace, parameters)
    sweep.run(until_clk)
    sweep.barriers(measured)
    return tuple(np.array(wave, np.int64) for wave in sweep.predicted)
