"""Counters (docs/model §7): what lgkmcnt and vmcnt count, and when they fall."""

from __future__ import annotations

from collections.abc import Sequence

import simpy

from wavesim.timing.model.clock import Clock

NEVER = 1 << 60


class Access:
    """A memory instruction that a counter counts, until it has returned.

    ``return_clk`` may become known only later; ``known`` happens then.
    """

    def __init__(self, clock: Clock, row: int, count: int) -> None:
        self.row = row
        self.count = count
        self.return_clk = NEVER
        self.known: simpy.Event = clock.env.event()

    def returns(self, clk: int) -> None:
        """It is known to return at ``clk``."""
        self.return_clk = clk
        self.known.succeed()


class Counter:
    """One counter of a wave."""

    def __init__(self) -> None:
        self.accesses: list[Access] = []

    def add(self, access: Access) -> None:
        """An access issues."""
        self.accesses.append(access)

    def value(self, now: int) -> int:
        """What the counter says at ``now``."""
        self.accesses = [access for access in self.accesses if access.return_clk > now]
        return sum(access.count for access in self.accesses)

    def waited_for(self, at_most: int) -> Access:
        """The access whose return lets the counter fall to ``at_most``; above it, as it stands."""
        left = sum(access.count for access in self.accesses)
        order: Sequence[Access] = sorted(self.accesses, key=lambda access: access.return_clk)
        for access in order:
            left -= access.count
            if left <= at_most:
                return access
        return order[-1]

    def first_unserved(self) -> Access | None:
        """The first access whose return is not known yet."""
        return next((access for access in self.accesses if access.return_clk == NEVER), None)
