"""Wait states in a new order: pairs of operations that the hardware does not interlock keep their distance.

What a pair needs is what rules mfma-hazard and wait-states ask for (:mod:`wavesim.checks.hazards`), what only
LLVM asks for included. Registers rewritten in between are not looked at, so that too much is asked at worst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wavesim.checks.hazards import states_between
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.tuning.loop import LoopBlock
from wavesim.tuning.waits import PlacedWait

MOST_STATES = 8
"""Wait states of one ``s_nop`` (7)."""


@dataclass(frozen=True)
class StatePlan:
    """Per user: (operation, wait states, whether it is the one of the pass before)."""

    pairs: tuple[tuple[tuple[int, int, bool], ...], ...]

    @classmethod
    def of(cls, block: LoopBlock, relaxer: WaitRelaxer) -> StatePlan:
        """From the kernel as it is."""
        wanted = states_between(
            relaxer.program, relaxer.code, relaxer.effects, relaxer.flow, block.operations
        )
        pairs: list[list[tuple[int, int, bool]]] = [[] for _ in block.operations]
        for (operation, user), states in wanted.items():
            if operation < user:
                pairs[user].append((operation, states, False))
            pairs[user].append((operation, states, True))
        return cls(tuple(map(tuple, pairs)))

    def place(self, order: Sequence[int], waits: Sequence[PlacedWait]) -> dict[int, int]:
        """Wait states that ``s_nop`` must add before the operation at a position of ``order``."""
        if not any(self.pairs):
            return {}
        waiting = {each.position for each in waits}
        added: dict[int, int] = {}
        for _ in range(2):  # the second time with what the first one added in the pass before
            starts, length = self._starts(order, waiting, added)
            for position, user in enumerate(order):
                missing = 0
                for operation, states, before in self.pairs[user]:
                    begin = starts[operation] - (length if before else 0)
                    if begin >= starts[user]:
                        continue
                    missing = max(missing, states - (starts[user] - begin - 1))
                if missing > 0:
                    added[position] = added.get(position, 0) + missing
                    starts, length = self._starts(order, waiting, added)
        return added

    @staticmethod
    def _starts(order: Sequence[int], waiting: set[int], added: dict[int, int]) -> tuple[dict[int, int], int]:
        starts = {}
        state = 0
        for position, operation in enumerate(order):
            state += added.get(position, 0) + (position in waiting)
            starts[operation] = state
            state += 1
        return starts, state + 1  # and the branch
