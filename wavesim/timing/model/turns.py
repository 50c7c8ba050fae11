"""Vector turns (docs/model §9): after a pause one SIMD a slot issues VALU and MFMA (gfx950).

Slots are numbered by clock // slot clocks; what is known of each is whether it was active. The state is
brought forward a slot at a time.
"""

from __future__ import annotations

from collections.abc import Iterable

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.timing.model.record import By


class Turns:
    """Whose turn it is, if turns are called."""

    def __init__(self, p: TimingParameters) -> None:
        self.slot = p.issue_slot_clk
        self.simds = p.structure_simds
        self.pause_slots = p.issue_turns_idle_clk // self.slot
        self.restricted_slots = p.issue_turns_clk // self.slot
        self.turn_slots = p.issue_turn_clk // self.slot
        self.applies = self.restricted_slots > 0
        self.active: set[int] = set()  # slots from ``next`` on, as far as known
        self.halves: dict[int, tuple[int, By]] = {}  # slots in which the matrix half of a scaled MFMA starts
        self.next = 0  # the first slot that has not been counted
        self.before_was_active = False
        self.pause = self.pause_slots
        self.called = True
        self.counted = 0  # restricted active slots since the call
        self.first: int | None = None  # first active slot since the call
        self.turn = self.held = 0  # whose turn it is at first, was last

    def saw(self, clk: int) -> None:
        """A VALU or MFMA instruction issues at ``clk``."""
        if self.applies:
            self.active.add(clk // self.slot)

    def saw_half(self, clk: int, simd: int, by: By) -> None:
        """The matrix half of a scaled MFMA starts at ``clk``."""
        if self.applies:
            self.saw(clk)
            slot = clk // self.slot
            self.halves[slot] = min(self.halves.get(slot, (simd, by)), (simd, by))

    def bring_forward(self, now: int) -> None:
        """Count every slot before the one at ``now``."""
        end = now // self.slot
        if not self.active:  # nothing but a pause, however long: no need to count all of it
            idle = min(end - self.next, self.pause_slots + 1)
            self.next = max(self.next, end - idle)
        while self.next < end:
            self.count(self.next in self.active)
            self.active.discard(self.next)
            self.halves.pop(self.next, None)
            self.next += 1

    def count(self, active: bool) -> None:
        """Slot ``next`` is over."""
        if active:
            self.pause = max(0, self.pause - 1)
            if self.called:
                if self.first is None:
                    self.first = self.next
                elif self.before_was_active:
                    self.counted += 1
                self.held = self.holder(self.next)
                if self.counted >= self.restricted_slots:
                    self.begin_anew(called=False, pause=0)
        else:
            self.pause = min(self.pause_slots, self.pause + 1)
            if self.pause == self.pause_slots:
                self.begin_anew(called=True, pause=self.pause)
        self.before_was_active = active

    def begin_anew(self, called: bool, pause: int) -> None:
        """Turns are called, or end; whose turn it was is kept."""
        self.called, self.pause = called, pause
        self.first, self.counted, self.turn = None, 0, self.held

    def holder(self, slot: int) -> int:
        """Whose turn it is in ``slot``: the first turn after a call is half over."""
        first = slot if self.first is None else self.first
        passed = (slot - first + self.turn_slots // 2) // self.turn_slots
        return (self.turn + passed) % self.simds

    def is_restricted(self, now: int) -> bool:
        """Whether one SIMD only issues VALU and MFMA in the slot at ``now``."""
        if not self.applies:
            return False
        self.bring_forward(now)
        return self.called and self.before_was_active

    def half_started_by(self, now: int) -> By | None:
        """Whose scaled MFMA starts its matrix half in the slot at ``now``: then no SIMD has the turn."""
        half = self.halves.get(now // self.slot)
        return half[1] if half is not None else None

    def first_in_turn(self, asking: Iterable[int], now: int) -> int | None:
        """Of the SIMDs that ask in the restricted slot at ``now`` the one whose turn it is, or comes next."""
        holder = self.holder(now // self.slot)
        return min(asking, key=lambda simd: (simd - holder) % self.simds, default=None)
