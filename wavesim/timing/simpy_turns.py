"""Vector turns in the SimPy engine (docs/model.md §9): after a pause one SIMD a slot issues VALU and MFMA."""

from __future__ import annotations

from bisect import insort
from typing import Any

from wavesim.isa.timing_parameters import TimingParameters

LONG_AGO = -(1 << 60)


class VectorTurns:
    """Knows the slots in which VALU or MFMA start, some ahead of time; counts them when they are over."""

    def __init__(self, p: TimingParameters) -> None:
        self.slot = p.issue_slot_clk
        self.turn_clk = p.issue_turn_clk
        self.simds = p.structure_simds
        self.enough = p.issue_turns_clk // self.slot  # restricted active slots until turns end
        self.most = p.issue_turns_idle_clk // self.slot  # pause count that calls turns
        self.coming: list[int] = []  # clocks of active slots not counted yet, in order
        self.counted = LONG_AGO  # the slots before are
        self.last = LONG_AGO  # the latest active slot counted
        self.pause = self.most  # as it stood after that slot
        self.called = True
        self.count = 0
        self.first = LONG_AGO  # the first active slot since the call; LONG_AGO: none yet
        self.turn = 0  # whose turn it is in that slot

    def saw(self, clk: int) -> None:
        """A VALU or MFMA instruction, or the matrix half of a scaled one, starts at ``clk`` (a slot)."""
        clk -= clk % self.slot
        if clk not in self.coming:
            insort(self.coming, clk)

    def is_restricted(self, now: int) -> bool:
        """Whether one SIMD only issues VALU and MFMA in the slot ``now``; earlier slots are known."""
        self._count(now)
        return self.called and self.last == now - self.slot

    def spare_slots(self, now: int) -> int:
        """So many slots without VALU or MFMA from ``now`` on do not call turns; -1: they are called."""
        self._count(now)
        if self.called or self.last == LONG_AGO:
            return -1
        return self.most - 1 - self.pause - max(0, (now - self.last) // self.slot - 1)

    def winner(self, asking: set[int], now: int) -> int:
        """The SIMD of those ``asking`` that issues VALU and MFMA in the restricted slot; -1: none may."""
        if now in self.coming:
            return -1
        holder = self._holder(now)
        return min(asking, key=lambda simd: (simd - holder) % self.simds, default=-1)

    def _holder(self, clk: int) -> int:
        return (self.turn + (clk - self.first + self.turn_clk // 2) // self.turn_clk) % self.simds

    def _count(self, now: int) -> None:
        """Count the slots before ``now``."""
        if now == self.counted:
            return
        self.counted = now
        coming = self.coming
        while coming and coming[0] < now:
            self._count_active(coming.pop(0))
        self._call((now - self.last) // self.slot - 1)

    def _call(self, idle_slots: int) -> None:
        """Turns are called if so many idle slots after the latest active one are a pause."""
        if self.pause + idle_slots >= self.most and (not self.called or self.first != LONG_AGO):
            if self.called:
                self.turn = self._holder(self.last)
            self.called, self.first, self.count = True, LONG_AGO, 0

    def _count_active(self, clk: int) -> None:
        idle_slots = (clk - self.last) // self.slot - 1
        self._call(idle_slots)
        self.pause = max(0, min(self.most, self.pause + idle_slots) - 1)
        if self.called:
            if self.first == LONG_AGO:
                self.first = clk
            elif not idle_slots:
                self.count += 1
            if self.count >= self.enough:
                self.turn = self._holder(clk)
                self.called, self.first, self.count, self.pause = False, LONG_AGO, 0, 0
        self.last = clk

    def state(self, now: int) -> tuple[Any, ...]:
        """Relative to ``now``: what the future depends on."""
        self._count(now)
        period = self.turn_clk * self.simds
        return (
            self.called,
            self.count,
            self.turn,
            self.pause,
            max(self.last - now, -(self.most + 1) * self.slot),
            (now - self.first) % period if self.first != LONG_AGO else -1,
            tuple(clk - now for clk in self.coming),
        )
