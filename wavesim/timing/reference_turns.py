"""Vector turns of the clock-stepped reference: after a pause one SIMD a slot issues VALU and MFMA (§9)."""

from __future__ import annotations

from collections.abc import Iterable

from wavesim.isa.timing_parameters import TimingParameters


class Turns:
    """Slots are numbered by clock // slot clocks; what is known of each is whether it was active.

    State is brought forward one slot at a time, from the slots in which something issued.
    """

    def __init__(self, p: TimingParameters) -> None:
        self.slot = p.issue_slot_clk
        self.simds = p.structure_simds
        self.pause_slots = p.issue_turns_idle_clk // self.slot
        self.restricted_slots = p.issue_turns_clk // self.slot
        self.turn_slots = p.issue_turn_clk // self.slot
        self.applies = self.restricted_slots > 0
        self.active: set[int] = set()  # slots from ``next`` on, as far as known
        self.next = 0  # the first slot that has not been counted
        self.before_was_active = False
        self.pause = self.pause_slots
        self.called = True
        self.counted = 0  # restricted active slots since the call
        self.first: int | None = None  # first active slot since the call
        self.turn = 0  # whose turn it was last

    def saw(self, clk: int) -> None:
        """A VALU or MFMA instruction (or the matrix half of a scaled one) starts at ``clk``."""
        if self.applies:
            self.active.add(clk // self.slot)

    def bring_forward(self, now: int) -> None:
        """Count every slot before the one at ``now``."""
        end = now // self.slot
        if not self.active:  # nothing but a pause, however long: no need to count all of it
            idle = min(end - self.next, self.pause_slots + 1)
            self.next = max(self.next, end - idle)
        while self.next < end:
            self.count(self.next in self.active)
            self.active.discard(self.next)
            self.next += 1

    def count(self, active: bool) -> None:
        """Slot ``next`` is over."""
        if active:
            if self.called and self.first is None:
                self.first = self.next
            elif self.called and self.before_was_active:
                self.counted += 1
                self.last_turn = self.holder(self.next)
            self.pause = max(0, self.pause - 1)
            if self.called and self.counted >= self.restricted_slots:
                self.turn = self.holder(self.next)
                self.called, self.first, self.counted, self.pause = False, None, 0, 0
        else:
            self.pause = min(self.pause_slots, self.pause + 1)
            if self.pause == self.pause_slots and (not self.called or self.first is not None):
                if self.called:
                    self.turn = self.holder(self.next - 1)
                self.called, self.first, self.counted = True, None, 0
        self.before_was_active = active
