"""What the orders of a variant are searched by, on whichever machine: its dependences, streams and score."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import CodeEntry, Trace
from wavesim.tuning.schedule import Scheduler
from wavesim.tuning.score import Judge
from wavesim.tuning.search import Found, anneal, by_lists

Scored = tuple[float, list[int]]
"""An order with its clocks per pass."""

Tried = tuple[list[Scored], int]
"""The best orders of a job, and how many were tried."""

Late = Callable[[], bool]
"""Whether the search is to end."""

MOST_LISTED = 3
"""Orders that a part of the lists gives back."""


@dataclass(frozen=True)
class Ground:
    """``trace`` are the streams that are timed, ``bound_clk`` what no order can be faster than (0: not
    known)."""

    scheduler: Scheduler
    entries: tuple[CodeEntry, ...]
    trace: Trace
    parameters: TimingParameters
    bound_clk: float

    def __reduce__(self) -> tuple[Any, ...]:
        """Without what is made ready for this process."""
        scheduler = replace(self.scheduler, known={})
        return Ground, (scheduler, self.entries, self.trace, self.parameters, self.bound_clk)

    @cached_property
    def judge(self) -> Judge:
        """What times its schedules."""
        return Judge(self.trace, self.parameters, self.scheduler.loop.head)

    def clk(self, order: Sequence[int]) -> float:
        """The score of an order."""
        return max(self.judge.clk(self.scheduler.schedule(order)), self.bound_clk)

    def own(self, late: Late) -> Tried:
        """The order as it is."""
        order = list(range(len(self.scheduler.order)))
        return [(self.clk(order), order)], 1

    def lists(self, first: int, last: int, late: Late) -> Tried:
        """The best of the lists [first, last)."""
        found = Found([], float("inf"))
        goes_on = self._until(late)
        order, part = self.scheduler.order, slice(first, last)
        orders = by_lists(order, self.entries, self.clk, found, goes_on, part)
        return orders[:MOST_LISTED], found.tried

    def leg(self, start: Scored, seed: int, tries: int, hot: float, late: Late) -> Tried:
        """The best of an annealing."""
        clk, order = start
        found = Found(order, clk)
        left = tries - 1  # where it begins is scored, too
        generator, goes_on = random.Random(seed), self._until(late)
        anneal(self.scheduler.order, order, self.clk, left, generator, found, goes_on, hot)
        return [(found.clk, found.order)], found.tried

    def at_bound(self, clk: float) -> bool:
        """Whether nothing is left to be found."""
        return bool(self.bound_clk) and clk <= self.bound_clk * (1 + 1e-9)

    def _until(self, late: Late) -> Callable[[Found], bool]:
        return lambda found: not (self.at_bound(found.clk) or late())
