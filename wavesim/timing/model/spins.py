"""Polling loops (docs/model §12): whether a store is done, and when polling for it is in vain."""

from __future__ import annotations

from typing import Protocol

from wavesim.limits import SPIN_PATIENCE_CLK
from wavesim.trace import Spin


class Watched(Protocol):
    """What polling looks at of a wave: its rows' clocks, and whether only another can let it go on."""

    issue_clk: list[int]
    done: list[int]

    @property
    def is_stuck(self) -> bool: ...


class Spins:
    """What the waves of the compute unit poll for."""

    def __init__(self) -> None:
        self.waves: list[Watched] = []
        self.news_clk = 0  # since then nothing but repeated polls has happened

    def note_news(self, clk: int) -> None:
        """Something other than a repeated poll lasts until ``clk``."""
        self.news_clk = max(self.news_clk, clk)

    def has_issued(self, spin: Spin) -> bool:
        """Whether the store that is polled for has issued."""
        return self.waves[spin.store_wave].issue_clk[spin.store_index] >= 0

    def is_done(self, spin: Spin, now: int) -> bool:
        """Whether the store that is polled for is done."""
        return 0 <= self.waves[spin.store_wave].done[spin.store_index] <= now

    def is_in_vain(self, now: int) -> bool:
        """Whether none can ever go on, or the polls keep the store from issuing."""
        starving = now - self.news_clk > SPIN_PATIENCE_CLK
        return starving or all(wave.is_stuck for wave in self.waves)
