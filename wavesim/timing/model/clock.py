"""Time: shader clocks on SimPy's time, each with phases: all requests are known before one is granted.

SimPy itself grants a resource to whoever asks first. In hardware all requests of a clock stand side by
side, so a clock has four moments here, and SimPy's time counts those.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import IntEnum
from typing import Any

import simpy

Events = Generator[simpy.Event, Any, None]
"""What a SimPy process, or a part of one, is in Python."""
EventsThenClk = Generator[simpy.Event, Any, int]
"""A part of a process that finds a clock."""


class Phase(IntEnum):
    """The moments of a clock, in order."""

    ASK = 0  # waves look at their conditions and ask
    GRANT = 1  # the arbiter decides; what is granted issues
    BANKS = 2  # LDS accesses that are first in their queue ask for the bank array
    SERVE = 3  # the bank array decides


PHASES = len(Phase)


class Clock:
    """The environment of all processes. Times are shader clocks; issue slots begin every ``slot_clk``."""

    def __init__(self, slot_clk: int) -> None:
        self.env = simpy.Environment()
        self.slot_clk = slot_clk

    @property
    def now(self) -> int:
        """The current clock."""
        return int(self.env.now) // PHASES

    def at(self, clk: int, phase: Phase = Phase.ASK) -> simpy.Event:
        """An event in ``phase`` of clock ``clk``, which is not in the past."""
        return self.env.timeout(clk * PHASES + phase - self.env.now)

    def call(self, action: Callable[[], None], phase: Phase) -> None:
        """Call ``action`` in a later phase of this clock."""
        event = self.at(self.now, phase)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: action())

    def first_slot(self, clk: int) -> int:
        """The first issue slot at or after ``clk``."""
        return -(-clk // self.slot_clk) * self.slot_clk

    def start(self, process: Events) -> simpy.Process:
        """Begin a process."""
        return self.env.process(process)
