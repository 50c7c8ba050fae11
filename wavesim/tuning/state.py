"""How far a search is: what is shown while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """How far a search is. Clocks are per pass of the loop.

    Attributes:
        stage: ``lists``, ``annealing``, ``priorities`` or ``proof``.
        before_clk, best_clk: of the kernel as it is, and of the best candidate so far.
        bound_clk, bound: the lower bound, 0 where it is not known, and its name.
        tried: candidates.
        seconds: since it began.
        changed: what the best one changes.
    """

    stage: str
    before_clk: float
    best_clk: float
    bound_clk: float
    bound: str
    tried: int
    seconds: float
    changed: str = "as it is"


Progress = Callable[[State], None]
"""Called now and then."""
