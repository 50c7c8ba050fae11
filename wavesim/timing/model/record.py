"""What is written down while time runs: who used what, and what each wave waited for and because of whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from wavesim.trace import BusySpan, Reason


class By(NamedTuple):
    """Who is to blame for a stall: a wave's position in ``Trace.waves``, and a row of it."""

    wave: int
    row: int


NOBODY = By(-1, -1)


class Stall(NamedTuple):
    """Row ``row`` waited ``clk`` clocks for ``reason``; ``by`` was to blame at the last of them."""

    row: int
    reason: Reason
    clk: int
    by: By


class Stalls:
    """A wave's stalls in order of time."""

    def __init__(self) -> None:
        self.found: list[Stall] = []

    def book(self, row: int, reason: Reason, clk: int, by: By) -> None:
        """``clk`` more clocks; what goes on for the same reason is one stall."""
        if clk <= 0:
            return
        if self.found and self.found[-1][:2] == (row, reason):
            clk += self.found.pop().clk
        self.found.append(Stall(row, reason, clk, by))


class Uses:
    """The uses of the shared resources, for :attr:`Timeline.busy`."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, int], list[tuple[int, int, int, int]]] = {}

    def add(self, resource: str, number: int, start_clk: int, end_clk: int, by: By) -> None:
        """One use, in [start, end) clk."""
        self.found.setdefault((resource, number), []).append((start_clk, by.wave, by.row, end_clk))

    def busy(self) -> Mapping[tuple[str, int], BusySpan]:
        """By resource, in order of start."""
        spans = {}
        for name, uses in sorted(self.found.items()):
            start, wave, row, end = np.array(sorted(uses), np.int64).T
            spans[name] = BusySpan(start.copy(), end.copy(), wave.astype(np.int32), row.astype(np.int32))
        return spans
