"""Wait states in a new order: pairs of operations that the hardware does not interlock keep their distance.

What a pair needs is what rules mfma-hazard and wait-states ask for (:mod:`wavesim.checks.hazards`), what only
LLVM asks for included. Registers rewritten in between are not looked at, so that too much is asked at worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wavesim.checks.hazards import DEEPEST_WAIT, states_between
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.tuning.loop import PLACED_ANEW, Loop

MOST_STATES = 8
"""Wait states of one ``s_nop`` (7)."""

Distances = dict[int, int]
"""Of instructions the wait states that have passed since they issued."""


@dataclass(frozen=True)
class StatePlan:
    """Per user: (instruction, wait states). ``producers`` are those instructions."""

    pairs: Mapping[int, tuple[tuple[int, int], ...]]
    producers: frozenset[int]

    @classmethod
    def of(cls, loop: Loop, relaxer: WaitRelaxer) -> StatePlan:
        """From the kernel as it is."""
        members = [index for index in sorted(loop.members) if relaxer.code[index].kind not in PLACED_ANEW]
        wanted = states_between(relaxer.program, relaxer.code, relaxer.effects, relaxer.flow, members)
        pairs: dict[int, list[tuple[int, int]]] = {}
        for (operation, user), states in wanted.items():
            pairs.setdefault(members[user], []).append((members[operation], states))
        return cls(
            {user: tuple(mine) for user, mine in pairs.items()},
            frozenset(members[operation] for operation, _ in wanted),
        )


class Spacing:
    """The wait states that pass on a way through a block."""

    def __init__(self, plan: StatePlan, entry: Distances) -> None:
        self._plan = plan
        self._now = 0
        self._issued = {index: -1 - states for index, states in entry.items()}

    def missing(self, user: int) -> int:
        """Wait states that ``s_nop`` must add before ``user``; they are taken to stand there."""
        most = 0
        for producer, states in self._plan.pairs.get(user, ()):
            issued = self._issued.get(producer)
            if issued is not None:
                most = max(most, states - (self._now - issued - 1))
        self._now += most
        return most

    def issue(self, index: int) -> None:
        """An instruction issues."""
        if index in self._plan.producers:
            self._issued[index] = self._now
        self._now += 1

    def distances(self) -> Distances:
        """What has passed since the latest ones, as far as any rule looks back."""
        found = {index: self._now - issued - 1 for index, issued in self._issued.items()}
        return {index: states for index, states in found.items() if states < DEEPEST_WAIT}


def nearest(first: Distances, second: Distances) -> Distances:
    """Where two ways meet: the shorter one of each counts."""
    found = dict(first)
    for index, states in second.items():
        found[index] = min(found.get(index, states), states)
    return found
