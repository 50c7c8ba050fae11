"""The machine of the clock-stepped reference engine: docs/model.md as a program, every slot tested anew.

Sections (§) are those of docs/model.md.
"""

from __future__ import annotations

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.reference_lds import Lds
from wavesim.timing.reference_memory import Memory
from wavesim.timing.reference_state import LONG_AGO, Spans, Wave
from wavesim.timing.reference_turns import Turns
from wavesim.trace import UNKNOWN, Category, CodeEntry, Kind, Reason, Trace

PORT_CATEGORIES = (Category.LDS, Category.VMEM)
VECTOR_CATEGORIES = (Category.VALU, Category.MFMA)


class Simd:
    """The pipes of one SIMD (§5, §9)."""

    def __init__(self) -> None:
        self.pipe_free = 0
        self.scaled_start = LONG_AGO  # t1 of the last scaled MFMA
        self.valu_blocked_until = 0
        self.memory_blocked_until = 0
        self.valu_held_until = 0
        self.dual_from = 0  # no two VALU in a slot before


class Machine:
    """The compute unit's state at one clock."""

    def __init__(self, trace: Trace, p: TimingParameters) -> None:
        self.trace = trace
        self.p = p
        self.spans = Spans()
        self.lds = Lds(p, self.spans)
        self.memory = Memory(trace, p, self.lds, self.spans)
        self.simds = [Simd() for _ in range(p.structure_simds)]
        self.turns = Turns(p)
        self.pair_of = {simd: pair for pair, simds in enumerate(p.structure_simd_pairs) for simd in simds}
        self.waves = [Wave(position, wave, trace, p) for position, wave in enumerate(trace.waves)]
        self.last_lds_simd: dict[int, int] = {}  # by pair
        self.last_vmem: tuple[int, int, int] | None = None  # SIMD, wave, row granted last

    # -- one slot

    def slot(self, now: int) -> None:
        """All of one issue slot: barriers, candidates, choice, ports, issue."""
        for workgroup in sorted({wave.trace.workgroup for wave in self.waves}):
            self.barrier(workgroup, now)
        candidates: dict[int, list[Wave]] = {}
        waits: dict[int, Reason] = {}
        for wave in self.waves:
            if wave.finish_clk is not None or wave.is_stopped or wave.free_clk > now:
                continue
            reason = self.test(wave, now)
            if reason is None:
                candidates.setdefault(wave.trace.simd, []).append(wave)
            else:
                waits[wave.position] = reason
        for wave in self.arbitrate(candidates, waits, now):
            self.issue(wave, now)
        for position, reason in waits.items():
            self.waves[position].book(reason, self.p.issue_slot_clk)

    def barrier(self, workgroup: int, now: int) -> None:
        """§8: arrivals of this slot, and the release if the last live wave has arrived."""
        members = [wave for wave in self.waves if wave.trace.workgroup == workgroup]
        members = [wave for wave in members if wave.code]
        live = [wave for wave in members if not wave.has_ended or (wave.finish_clk or 0) > now]
        for wave in live:
            if wave.finish_clk is not None or wave.is_stopped or wave.free_clk > now:
                continue
            if wave.entry.kind is Kind.BARRIER and wave.arrival_clk is None and not wave.fetch_reason(now):
                wave.arrival_clk = now
        if not live or not all(wave.waits_for_others for wave in live):
            return
        arrivals = [(wave.arrival_clk or 0, wave) for wave in live]
        first = min(clk for clk, _ in arrivals)
        ends = [(wave.finish_clk or 0, wave) for wave in members if wave not in live]
        order = self.p.barrier_simd_order
        events = arrivals + [(clk, wave) for clk, wave in ends if clk >= first]
        last_clk, last_place = max((clk, order.index(wave.trace.simd)) for clk, wave in events)
        for wave in live:
            early = order.index(wave.trace.simd) > last_place
            after = self.p.barrier_release_early_clk if early else self.p.barrier_release_late_clk
            wave.release_clk = last_clk + after

    # -- conditions (§2)

    def test(self, wave: Wave, now: int) -> Reason | None:
        """The first condition that fails for the wave's next instruction; None for a candidate."""
        entry, row = wave.entry, wave.row
        reason = wave.fetch_reason(now)
        if reason is None and wave.gap_clk() > now:
            reason = Reason.DEPENDENCY
        if wave.attempt[row] < 0 and (reason is None or entry.kind in (Kind.WAIT, Kind.BARRIER)):
            wave.attempt[row] = now
            if entry.category is Category.VMEM:
                wave.vmem_from_clk = self.memory.attempted(now)
        if reason is not None:
            return reason
        if entry.kind is Kind.BARRIER:
            slot = self.p.issue_slot_clk
            if wave.release_clk is None or wave.release_clk - slot > now:
                return Reason.BARRIER
        return wave.counter_reason(now) or self.unit_reason(wave, entry, now)

    def unit_reason(self, wave: Wave, entry: CodeEntry, now: int) -> Reason | None:
        """Conditions 8 to 13: pipes, blocks, holds and queues."""
        simd = self.simds[wave.trace.simd]
        category = entry.category
        if category is Category.MFMA:
            free = simd.scaled_start if entry.scaled else simd.pipe_free
            return Reason.MATRIX_PIPE if free > now else None
        if category is Category.VALU:
            if simd.valu_blocked_until > now:
                return Reason.MFMA_COISSUE
            return Reason.VALU_BUSY if simd.valu_held_until > now else None
        if category in PORT_CATEGORIES and simd.memory_blocked_until > now:
            return Reason.MFMA_COISSUE
        if category is Category.LDS:
            pair = self.pair_of[wave.trace.simd]
            if self.lds.held_until[pair] > now:
                return Reason.LDS_HOLD
            return Reason.LDS_QUEUE if self.lds.is_full(pair, now) else None
        if category is Category.VMEM and (self.memory.is_full(now) or wave.vmem_from_clk > now):
            return Reason.VMEM_QUEUE
        return None

    # -- arbitration (§11)

    def blocks(self, entry: CodeEntry) -> tuple[int, int]:
        """Clocks for which an MFMA keeps out (VALU, LDS and VMEM)."""
        vgprs = entry.mfma_source_vgprs
        return (
            self.p.write_clk(self.p.mfma_blocks_valu_clk, vgprs),
            self.p.write_clk(self.p.mfma_blocks_memory_clk, vgprs),
        )

    def conflict(self, one: CodeEntry, other: CodeEntry) -> bool:
        """Whether an MFMA excludes the other instruction from its slot."""
        for matrix, vector in ((one, other), (other, one)):
            if matrix.category is Category.MFMA:
                valu, memory = self.blocks(matrix)
                if vector.category is Category.VALU and valu >= 4:
                    return True
                if vector.category in PORT_CATEGORIES and memory >= 4:
                    return True
        return False

    def loses(self, wave: Wave, chosen: list[Wave], now: int) -> Reason | None:
        """Why a candidate cannot be chosen beside those chosen already; None if it can."""
        entry = wave.entry
        if entry.category is Category.INTERNAL:
            return None
        same = [other.entry for other in chosen if other.entry.category is entry.category]
        if same:
            plain = entry.plain_valu and all(other.plain_valu for other in same)
            plain = plain and not entry.writes_sgpr and self.simds[wave.trace.simd].dual_from <= now
            room = self.p.issue_plain_valu_per_slot if entry.category is Category.VALU and plain else 1
            limited = "arbitration" not in self.p.rules_off or entry.category is Category.MFMA
            if limited and len(same) >= room:
                return Reason.ARBITRATION
        if any(self.conflict(entry, other.entry) for other in chosen):
            return Reason.MFMA_COISSUE
        return None

    def arbitrate(self, candidates: dict[int, list[Wave]], waits: dict[int, Reason], now: int) -> list[Wave]:
        """Who issues in this slot; the reasons of the others go to ``waits``."""
        chosen: dict[int, list[Wave]] = {}
        if self.turns.is_restricted(now):
            candidates = self.keep_to_turn(candidates, waits, now)
        for simd, waves in candidates.items():
            age = -1 if "oldest_first" in self.p.rules_off else 1
            waves.sort(key=lambda wave: (-wave.priority, not self.goes_first(wave), age * wave.position))
            chosen[simd] = []
            self.choose(waves, chosen[simd], waits, now)
        denied = self.grant_lds(chosen) + self.grant_vmem(chosen, now)
        for wave in denied:
            chosen[wave.trace.simd].remove(wave)
            waits[wave.position] = Reason.PORT
        for simd in {wave.trace.simd for wave in denied}:
            rest = [
                wave
                for wave in candidates[simd]
                if wave not in chosen[simd] and wave.entry.category not in PORT_CATEGORIES
            ]
            self.choose(rest, chosen[simd], waits, now)
        return [wave for simd in sorted(chosen) for wave in chosen[simd]]

    def keep_to_turn(
        self, candidates: dict[int, list[Wave]], waits: dict[int, Reason], now: int
    ) -> dict[int, list[Wave]]:
        """Rule ``vector_turns``: the candidates without VALU and MFMA of all SIMDs but one."""
        asking = {
            simd
            for simd, waves in candidates.items()
            if any(wave.entry.category in VECTOR_CATEGORIES for wave in waves)
        }
        winner = self.turns.winner(asking, now)
        kept: dict[int, list[Wave]] = {}
        for simd, waves in candidates.items():
            kept[simd] = []
            for wave in waves:
                if simd == winner or wave.entry.category not in VECTOR_CATEGORIES:
                    kept[simd].append(wave)
                else:
                    waits[wave.position] = Reason.ARBITRATION
        return kept

    def goes_first(self, wave: Wave) -> bool:
        """Whether the wave's instruction ranks before those of older waves."""
        return wave.entry.scaled and "scaled_mfma_first" not in self.p.rules_off

    def choose(self, waves: list[Wave], chosen: list[Wave], waits: dict[int, Reason], now: int) -> None:
        """Step 1 of §11, in order of rank."""
        for wave in waves:
            reason = self.loses(wave, chosen, now)
            if reason is None:
                chosen.append(wave)
                waits.pop(wave.position, None)
            else:
                waits[wave.position] = reason

    def grant_lds(self, chosen: dict[int, list[Wave]]) -> list[Wave]:
        """Step 2: each pair's port to the SIMD not granted last; the denied waves."""
        denied: list[Wave] = []
        for pair, simds in enumerate(self.p.structure_simd_pairs):
            asking = _asking(chosen, sorted(simds), Category.LDS)
            if asking:
                last = None if "lds_alternation" in self.p.rules_off else self.last_lds_simd.get(pair)
                winner = next((wave for wave in asking if wave.trace.simd != last), asking[0])
                self.last_lds_simd[pair] = winner.trace.simd
                denied += [wave for wave in asking if wave is not winner]
        return denied

    def grant_vmem(self, chosen: dict[int, list[Wave]], now: int) -> list[Wave]:
        """Step 2: the CU's port: a run of one wave, else turns, or by attempt if idle; the denied waves."""
        asking = _asking(chosen, sorted(chosen), Category.VMEM)
        if not asking:
            return []
        winner = self.vmem_turn(asking, now)
        self.last_vmem = (winner.trace.simd, winner.position, winner.row)
        return [wave for wave in asking if wave is not winner]

    def vmem_turn(self, asking: list[Wave], now: int) -> Wave:
        """Step 2: which of the waves (one for each SIMD, by SIMD) has the port of the compute unit."""
        simd, position, row = self.last_vmem or (-1, -1, -1)
        run = [wave for wave in asking if (wave.position, wave.row) == (position, row + 1)]
        if "vmem_round_robin" in self.p.rules_off:
            run, turns = [], asking  # by SIMD
        elif (
            self.memory.last_issue_clk == now - self.p.issue_slot_clk or "vmem_idle_port" in self.p.rules_off
        ):
            turns = sorted(asking, key=lambda wave: (wave.trace.simd - simd - 1) % self.p.structure_simds)
        else:
            turns = sorted(asking, key=lambda wave: (wave.attempt[wave.row], wave.trace.simd))
        return (run or turns)[0]

    # -- issue

    def issue(self, wave: Wave, now: int) -> None:
        """The wave's next instruction issues at ``now``; the wave moves on."""
        entry, row = wave.entry, wave.row
        wave.issue[row] = now
        wave.end[row] = end = self.start(wave, entry, now)
        wave.free_clk = end
        taken = entry.kind is Kind.BRANCH or (entry.kind is Kind.COND_BRANCH and bool(wave.trace.taken[row]))
        following = row + 1
        if row in wave.spins and not self.spin_is_over(wave, now):
            spin = wave.trace.spins[wave.spins[row]]
            if wave.is_stopped:
                return
            following, taken = spin.first, True
            wave.attempt[spin.first : spin.last + 1] = [-1] * (spin.last + 1 - spin.first)
        if entry.kind is Kind.ENDPGM or following >= len(wave.code):
            wave.finish_clk = end
            wave.has_ended = entry.kind is Kind.ENDPGM
            return
        wave.row = following
        wave.fetch_after(entry, wave.entry, taken, now)
        wave.forget_returned(now)

    def start(self, wave: Wave, entry: CodeEntry, now: int) -> int:
        """What the instruction occupies and writes down; its ``end_clk``."""
        row, p = wave.row, self.p
        end = now + p.issue_slot_clk
        if entry.category is Category.LDS:
            return now + self.lds.issue(self.pair_of[wave.trace.simd], wave, row, entry, now)
        if entry.category is Category.VMEM:
            self.memory.issue(wave, row, entry, now)
            return end
        if entry.kind is Kind.MFMA:
            return self.start_mfma(wave, entry, now)
        wave.done[row] = now
        if entry.category is Category.VALU:
            self.turns.saw(now)
            wave.last_valu = now
            if entry.writes_sgpr:
                wave.last_valu_sgpr = now
            if entry.kind is Kind.TRANS:
                end = self.simds[wave.trace.simd].valu_held_until = now + p.issue_trans_clk
        elif entry.kind is Kind.SALU:
            wave.last_salu = now
            wave.sgpr_written.update(dict.fromkeys(entry.sgpr_writes, now))
        elif entry.kind is Kind.SMEM and entry.lgkm_increment:
            latency = int(wave.trace.memory_latency_clk[row])
            wave.done[row] = now + (p.scalar_load_latency_clk if latency == UNKNOWN else latency)
            wave.lgkm.append(([wave.done[row]], entry.lgkm_increment))
        elif entry.kind is Kind.NOP:
            end = now + p.issue_slot_clk * max(1, entry.nop_slots)
        elif entry.kind is Kind.SLEEP:
            end = now + max(p.issue_slot_clk, p.issue_sleep_unit_clk * entry.sleep_units)
        elif entry.kind is Kind.SETPRIO:
            wave.priority = entry.priority  # the wave asks for nothing before its end
        elif entry.kind is Kind.BARRIER:
            wave.arrival_clk = wave.release_clk = None
        elif entry.kind is Kind.ENDPGM and "endpgm_drain" not in p.rules_off:
            end = max(end, -(-wave.last_return // p.issue_slot_clk) * p.issue_slot_clk)
        return end

    def start_mfma(self, wave: Wave, entry: CodeEntry, now: int) -> int:
        """§5: pipe and blocks; a scaled MFMA's matrix half starts later than its issue."""
        simd = self.simds[wave.trace.simd]
        start = now
        self.turns.saw(now)
        if entry.scaled:
            start = simd.scaled_start = max(now + self.p.mfma_scale_load_clk, simd.pipe_free)
            self.turns.saw(start, half=True)
        simd.pipe_free = start + self.p.matrix_pipe_clk(entry.mfma, entry.mfma_format)
        simd.dual_from = simd.pipe_free + self.p.issue_dual_after_mfma_clk
        valu, memory = self.blocks(entry)
        simd.valu_blocked_until = max(simd.valu_blocked_until, start + valu)
        simd.memory_blocked_until = max(simd.memory_blocked_until, start + memory)
        wave.done[wave.row] = simd.pipe_free
        self.spans.add("mfma", wave.trace.simd, start, simd.pipe_free, wave, wave.row)
        return start + self.p.issue_slot_clk

    def spin_is_over(self, wave: Wave, now: int) -> bool:
        """§12: whether the store is done; a wave that nobody can ever release stops instead."""
        number = wave.spins[wave.row]
        spin = wave.trace.spins[number]
        if 0 <= self.waves[spin.store_wave].done[spin.store_index] <= now:
            wave.polling = None
            return True
        wave.spin_repeats[number] += 1
        wave.polling = spin
        wave.is_stopped = all(self.is_blocked(other) for other in self.waves)
        return False

    def is_blocked(self, wave: Wave) -> bool:
        """Whether only another wave can let this one go on (or it is over)."""
        spin = wave.polling
        polls = spin is not None and self.waves[spin.store_wave].issue[spin.store_index] < 0
        return wave.finish_clk is not None or wave.waits_for_others or polls

    def is_over(self, now: int) -> bool:
        """Whether no wave will ever issue again: all ended, or stuck."""
        return all(
            wave.finish_clk <= now
            if wave.finish_clk is not None
            else wave.is_stopped or wave.waits_for_others
            for wave in self.waves
        )


def _asking(chosen: dict[int, list[Wave]], simds: list[int], category: Category) -> list[Wave]:
    return [wave for simd in simds for wave in chosen.get(simd, []) if wave.entry.category is category]
