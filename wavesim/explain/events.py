"""Events: the moments of a Timeline that others can wait for, and who used each shared resource before.

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
from wavesim.timing.ops import INTERNAL, LDS, MFMA, VALU, VMEM, Op
from wavesim.trace import Kind, Timeline


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
        self.ops: list[Op] = [Op(entry, parameters) for entry in timeline.trace.code]
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
        self.issues: dict[tuple[str, int], list[Use]] = {}
        self.at_slot: dict[tuple[int, int, int], list[Event]] = {}
        self.barriers: dict[tuple[int, int], list[Event]] = {}
        self.barrier_number: dict[tuple[int, int], tuple[int, int]] = {}
        self._order_issues()
        self._number_barriers()

    def op(self, wave: int, row: int) -> Op:
        """The decoded instruction of a row."""
        return self.ops[self.code[wave][row]]

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

    def latest_before(self, name: str, number: int, clk: int) -> Use | None:
        """The latest use of ("mfma" | "trans" | "lds_write" | "mfma_start", number) that issued before."""
        uses = self.issues.get((name, number), [])
        place = bisect_left(uses, (clk,))
        return uses[place - 1] if place else None

    def _stalls(self) -> None:
        for position, wave in enumerate(self.timeline.waves):
            low, high = np.searchsorted(wave.stall_row, (self.first[position], self.last[position]))
            last: dict[int, int] = {}
            by_row: dict[int, dict[int, int]] = {}
            for row, reason, clk in zip(
                wave.stall_row[low:high].tolist(),
                wave.stall_reason[low:high].tolist(),
                wave.stall_clk[low:high].tolist(),
                strict=True,
            ):
                if clk > 0:
                    last[row] = reason
                    of_row = by_row.setdefault(row, {})
                    of_row[reason] = of_row.get(reason, 0) + clk
            self.last_reason.append(last)
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

    def _order_issues(self) -> None:
        named = {MFMA: "mfma"}
        for wave, simd in enumerate(self.simd):
            for row in range(self.first[wave], self.last[wave]):
                op = self.op(wave, row)
                if op.category == INTERNAL:
                    continue
                clk = self.issue[wave][row]
                use = Use(clk, self.end[wave][row], wave, row)
                self.at_slot.setdefault((clk, op.category, simd), []).append(Event("issue", wave, row))
                name = named.get(op.category)
                if op.category == VALU and op.kind is Kind.TRANS:
                    name = "trans"
                if name is not None:
                    self.issues.setdefault((name, simd), []).append(use)
                if op.category == LDS and op.write:
                    self.issues.setdefault(("lds_write", self.pair[simd]), []).append(use)
        for uses in self.issues.values():
            uses.sort()

    def _number_barriers(self) -> None:
        for position, wave in enumerate(self.timeline.trace.waves):
            is_barrier = np.array([entry.kind is Kind.BARRIER for entry in self.timeline.trace.code], bool)
            for number, row in enumerate(np.flatnonzero(is_barrier[wave.code]).tolist()):
                if self.first[position] <= row < self.last[position]:
                    key = (wave.workgroup, number)
                    self.barriers.setdefault(key, []).append(Event("arrived", position, row))
                    self.barrier_number[position, row] = key

    def in_slot(self, clk: int, category: int, wave: int, *, shared: bool) -> list[Event]:
        """Instructions of other waves of the SIMD (``shared``: of all SIMDs at its port) that issued."""
        simds = [self.simd[wave]]
        if shared:
            pairs = self.p.structure_simd_pairs
            simds = (
                list(range(self.p.structure_simds))
                if category == VMEM
                else list(pairs[self.pair[self.simd[wave]]])
            )
        found = [event for simd in simds for event in self.at_slot.get((clk, category, simd), [])]
        return [event for event in found if event.wave != wave]


_FETCHING = (5, 6)  # Reason.BRANCH, Reason.FETCH
