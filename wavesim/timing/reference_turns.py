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
        self.halves: set[int] = set()  # slots in which the matrix half of a scaled MFMA starts
        self.next = 0  # the first slot that has not been counted
        self.before_was_active = False
        self.pause = self.pause_slots
        self.called = True
        self.counted = 0  # restricted active slots since the call
        self.first: int | None = None  # first active slot since the call
        self.turn = self.held = 0  # whose turn it is at first, was last

    def saw(self, clk: int, half: bool = False) -> None:
        """A VALU or MFMA instruction, or the matrix half of a scaled one, starts at ``clk``."""
        if self.applies:
            self.active.add(clk // self.slot)
            if half:
                self.halves.add(clk // self.slot)

    def bring_forward(self, now: int) -> None:
        """Count every slot before the one at ``now``."""
        end = now // self.slot
        if not self.active:  # nothing but a pause, however long: no need to count all of it
            idle = min(end - self.next, self.pause_slots + 1)
            self.next = max(self.next, end - idle)
        while self.next < end:
            self.count(self.next in self.active)
            self.active.discard(self.next)
            self.halves.discard(self.next)
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

    def winner(self, asking: Iterable[int], now: int) -> int | None:
        """Of the SIMDs that could issue VALU or MFMA in the restricted slot at ``now``, the one that does."""
        slot = now // self.slot
        if slot in self.halves:
            return None
        holder = self.holder(slot)
        return min(asking, key=lambda simd: (simd - holder) % self.simds, default=None)

    def seen(self, simd: int, asking: Iterable[int], now: int) -> None:
        """In a measured run ``simd`` issued in the restricted slot at ``now``: whose turn it must be."""
        holder = self.holder(now // self.slot)
        if holder == simd or holder not in asking or self.first is None:
            return
        into = (now // self.slot - self.first + self.turn_slots // 2) % self.turn_slots
        if (simd + 1) % self.simds == holder:
            self.first += into + 1  # the turn before lasts on
        elif simd == (holder + 1) % self.simds:
            self.first -= self.turn_slots - into  # the next turn has begun
        else:
            self.turn, self.first = simd, now // self.slot + self.turn_slots // 2
