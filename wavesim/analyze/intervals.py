"""Sets of clocks as sorted, disjoint half-open intervals, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Intervals:
    """``[start[i], end[i])`` for every i: sorted, disjoint, none empty."""

    start: Int64
    end: Int64

    @property
    def clk(self) -> int:
        """How many clocks the set holds."""
        return int((self.end - self.start).sum())

    def within(self, from_clk: int, to_clk: int) -> Intervals:
        """The part of the set in ``[from_clk, to_clk)``."""
        start = np.clip(self.start, from_clk, to_clk)
        end = np.clip(self.end, from_clk, to_clk)
        keep = end > start
        return Intervals(start[keep], end[keep])

    def covered_before(self, clk: Int64) -> Int64:
        """How many clocks of the set lie before each of ``clk``."""
        if not len(self.start):
            return np.zeros(len(clk), np.int64)
        before = np.concatenate(([0], np.cumsum(self.end - self.start)))
        index = np.searchsorted(self.start, clk, side="right")
        last = np.maximum(index - 1, 0)
        inside = np.minimum(clk, self.end[last]) - self.start[last]
        return np.where(index == 0, 0, before[last] + inside).astype(np.int64)

    def common_clk(self, other: Intervals) -> int:
        """How many clocks both sets hold."""
        return int((self.covered_before(other.end) - self.covered_before(other.start)).sum())


def union(start: Int64, end: Int64) -> Intervals:
    """The clocks in at least one of the given intervals (any order, overlapping or empty)."""
    keep = end > start
    start, end = start[keep], end[keep]
    if not len(start):
        return Intervals(np.zeros(0, np.int64), np.zeros(0, np.int64))
    order = np.argsort(start, kind="stable")
    start, end = start[order].astype(np.int64), np.maximum.accumulate(end[order].astype(np.int64))
    first = np.concatenate(([True], start[1:] > end[:-1]))
    last = np.concatenate((first[1:], [True]))
    return Intervals(start[first], end[last])


def intersection(sets: Sequence[Intervals]) -> Intervals:
    """The clocks that all sets hold (of no sets at all: none)."""
    if not sets:
        return union(np.zeros(0, np.int64), np.zeros(0, np.int64))
    clk = np.concatenate([part for each in sets for part in (each.start, each.end)])
    step = np.concatenate([np.repeat([1, -1], len(each.start)) for each in sets])
    order = np.argsort(clk, kind="stable")
    clk, depth = clk[order], np.cumsum(step[order])
    full = np.flatnonzero(depth == len(sets))
    full = full[full + 1 < len(clk)]
    return union(clk[full], clk[full + 1])


def complement(inner: Intervals, from_clk: int, to_clk: int) -> Intervals:
    """The clocks of ``[from_clk, to_clk)`` that ``inner`` does not hold."""
    inner = inner.within(from_clk, to_clk)
    start = np.concatenate(([from_clk], inner.end))
    end = np.concatenate((inner.start, [to_clk]))
    return union(start, end)
