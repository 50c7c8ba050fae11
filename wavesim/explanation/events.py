"""Events: the moments of a Timeline that others can wait for, who is to blame for waits, and who used what.

An event is named (kind, wave position, row). Kinds: ``issue``; ``arrived`` (at a barrier); ``served`` (the
LDS port is done with an access) and ``banks`` (the bank array is); ``accepted`` and ``returned`` (global
memory). All clocks are those of the Timeline and its record of busy resources; nothing is simulated anew.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from wavesim.analyze.stalls import issued_rows
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.in_flight import held_bytes, makes_room
from wavesim.timing.ops import MFMA, Op
from wavesim.trace import CodeEntry, Kind, Timeline


class Event(NamedTuple):
    """``kind`` of ``row`` of the wave at position ``wave``."""

    kind: str
    wave: int
    row: int


class Use(NamedTuple):
    """One use of a resource, [start, end) clk, by a row of a wave."""

    start: int
    end: int
    wave: int
    row: int


class Events:
    """Clocks of events between two clocks of a Timeline, and the order in which resources were used.

    Args:
        timeline: a complete simulated one.
        parameters: the machine that it was simulated on.
        from_clk, to_clk: rows that issued outside are not looked at.
    """

    def __init__(
        self, timeline: Timeline, parameters: TimingParameters, from_clk: int = 0, to_clk: int | None = None
    ) -> None:
        self.timeline = timeline
        self.p = parameters
        self.slot = parameters.issue_slot_clk
        to_clk = timeline.clk_total if to_clk is None else to_clk
        self.entries = timeline.trace.code
        self.ops: list[Op] = [Op(entry, parameters) for entry in self.entries]
        self.code: list[list[int]] = [wave.code.tolist() for wave in timeline.trace.waves]
        self.taken = [wave.taken.tolist() for wave in timeline.trace.waves]
        self.issue = [wave.issue_clk.tolist() for wave in timeline.waves]
        self.end = [wave.end_clk.tolist() for wave in timeline.waves]
        self.attempt = [wave.attempt_clk.tolist() for wave in timeline.waves]
        self.done = [wave.done_clk.tolist() for wave in timeline.waves]
        self.simd = [wave.simd for wave in timeline.waves]
        self.first: list[int] = []
        self.last: list[int] = []
        for wave in timeline.waves:
            issued = wave.issue_clk[: issued_rows(wave)]
            self.first.append(int(np.searchsorted(issued, from_clk)))
            self.last.append(int(np.searchsorted(issued, to_clk, side="right")))
        self.last_reason: list[dict[int, int]] = []
        self.to_blame: list[dict[int, tuple[int, int]]] = []  # for the last reason: (wave, row)
        self.stalled: list[dict[int, dict[int, int]]] = []
        self._stalls()
        self.pair = {
            simd: pair for pair, simds in enumerate(parameters.structure_simd_pairs) for simd in simds
        }
        self.ports = {
            pair: self._uses("lds_port", pair) for pair in range(len(parameters.structure_simd_pairs))
        }
        self.banks = self._uses("lds_array", 0)
        self.memory = self._uses("memory", 0)
        self.memory.sort(key=lambda use: (self.issue[use.wave][use.row], use.start))
        self.port_place = {
            (use.wave, use.row): place for uses in self.ports.values() for place, use in enumerate(uses)
        }
        self.bank_place = {(use.wave, use.row): place for place, use in enumerate(self.banks)}
        self.memory_place = {(use.wave, use.row): place for place, use in enumerate(self.memory)}
        moved = np.array([self.memory_bytes(use) for use in self.memory], np.int64).reshape(-1, 2)
        to_lds = np.array([self.op(use.wave, use.row).to_lds for use in self.memory], np.bool_)
        held = held_bytes(moved[:, 0] - moved[:, 1], to_lds, parameters)
        self.memory_room: list[int] = makes_room(held, parameters).tolist()
        self.memory_path = self._memory_path()
        self.mfmas: dict[int, list[Use]] = {}  # by SIMD
        self.barriers: dict[tuple[int, int], list[Event]] = {}
        self.barrier_number: dict[tuple[int, int], tuple[int, int]] = {}
        self._order_mfmas()
        self._number_barriers()

    def memory_bytes(self, use: Use) -> tuple[int, int]:
        """Bytes that an access moves, and those of them that the L1 has."""
        wave = self.timeline.trace.waves[use.wave]
        moved, hit = int(wave.memory_bytes[use.row]), int(wave.of_memory("memory_hit_bytes")[use.row])
        moved = self.op(use.wave, use.row).memory_bytes if moved < 0 else moved
        return moved, min(hit, moved)

    def _memory_path(self) -> list[tuple[int, int]]:
        """By access: the one whose acceptance its way through the device's memory counts from, and the clocks
        from there to the end of that way (docs/model, section 10)."""
        found, began, end_clk16 = [], 0, 0
        for place, use in enumerate(self.memory):
            path_clk16 = int(self.timeline.trace.waves[use.wave].of_memory("memory_path_clk16")[use.row])
            if not path_clk16:
                found.append((place, 0))
                continue
            if 16 * use.start >= end_clk16:
                began, end_clk16 = place, 16 * use.start
            end_clk16 += path_clk16
            found.append((began, -(-end_clk16 // 16) - self.memory[began].start))
        return found

    def op(self, wave: int, row: int) -> Op:
        """The decoded instruction of a row."""
        return self.ops[self.code[wave][row]]

    def entry(self, wave: int, row: int) -> CodeEntry:
        """The instruction of a row."""
        return self.entries[self.code[wave][row]]

    def clk(self, event: Event) -> int:
        """When the event happened."""
        kind, wave, row = event
        if kind == "issue":
            return int(self.issue[wave][row])
        if kind == "served":
            place = self.port_place[wave, row]
            return self.ports[self.pair[self.simd[wave]]][place].end
        if kind == "banks":
            return self.banks[self.bank_place[wave, row]].end
        if kind == "accepted":
            return self.memory[self.memory_place[wave, row]].start
        if kind == "returned":
            return int(self.done[wave][row])
        fetch = self.stalled[wave].get(row, {})  # arrived: the bytes are there
        known = sum(clk for reason, clk in fetch.items() if reason in _FETCHING)
        return self.up(self.attempt[wave][row] + known)

    def up(self, clk: int) -> int:
        """The first issue slot not before ``clk``."""
        return -(-clk // self.slot) * self.slot

    def mfma_before(self, simd: int, clk: int) -> Use | None:
        """The latest MFMA of the SIMD that issued before."""
        uses = self.mfmas.get(simd, [])
        place = bisect_left(uses, (clk,))
        return uses[place - 1] if place else None

    def _stalls(self) -> None:
        for position, wave in enumerate(self.timeline.waves):
            low, high = np.searchsorted(wave.stall_row, (self.first[position], self.last[position]))
            nobody = np.full(len(wave.stall_row), -1)
            recorded = len(wave.stall_by_wave) == len(wave.stall_row)
            last: dict[int, int] = {}
            blame: dict[int, tuple[int, int]] = {}
            by_row: dict[int, dict[int, int]] = {}
            for row, reason, clk, *by in zip(
                wave.stall_row[low:high].tolist(),
                wave.stall_reason[low:high].tolist(),
                wave.stall_clk[low:high].tolist(),
                (wave.stall_by_wave if recorded else nobody)[low:high].tolist(),
                (wave.stall_by_row if recorded else nobody)[low:high].tolist(),
                strict=True,
            ):
                if clk > 0:
                    last[row] = reason
                    blame[row] = (by[0], by[1])
                    of_row = by_row.setdefault(row, {})
                    of_row[reason] = of_row.get(reason, 0) + clk
            self.last_reason.append(last)
            self.to_blame.append({row: each for row, each in blame.items() if each[0] >= 0})
            self.stalled.append(by_row)

    def _uses(self, name: str, number: int) -> list[Use]:
        span = self.timeline.busy.get((name, number))
        if span is None:
            return []
        uses = []
        for start, end, wave, row in zip(
            span.start_clk.tolist(),
            span.end_clk.tolist(),
            span.wave.tolist(),
            span.row.tolist(),
            strict=True,
        ):
            if self.first[wave] <= row < self.last[wave]:
                uses.append(Use(start, end, wave, row))
        return uses

    def _order_mfmas(self) -> None:
        for wave, simd in enumerate(self.simd):
            for row in range(self.first[wave], self.last[wave]):
                if self.op(wave, row).category == MFMA:
                    use = Use(self.issue[wave][row], self.end[wave][row], wave, row)
                    self.mfmas.setdefault(simd, []).append(use)
        for uses in self.mfmas.values():
            uses.sort()

    def _number_barriers(self) -> None:
        for position, wave in enumerate(self.timeline.trace.waves):
            is_barrier = np.array([entry.kind is Kind.BARRIER for entry in self.timeline.trace.code], bool)
            for number, row in enumerate(np.flatnonzero(is_barrier[wave.code]).tolist()):
                if self.first[position] <= row < self.last[position]:
                    key = (wave.workgroup, number)
                    self.barriers.setdefault(key, []).append(Event("arrived", position, row))
                    self.barrier_number[position, row] = key


_FETCHING = (5, 6)  # Reason.BRANCH, Reason.FETCH
