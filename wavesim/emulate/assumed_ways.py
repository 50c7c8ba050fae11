"""Which way control goes at branches whose condition is not known, so that every loop ends.

Each time the program reaches a loop, the loop runs ``trips`` times, or as often as its head is said to.
Then the first way out whose condition is not known is taken, wherever in the loop it is. Other branches
are not taken, unless the way out is behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from wavesim.emulate.blocks import Block, BlockMap, Exit
from wavesim.emulate.loop_nest import CodeLoop, LoopNest

Bools = npt.NDArray[np.bool_]
Decision = Callable[[slice], Bools]
"""Whether each of the waves takes a branch."""


class AssumedWays:
    """The passes that waves have made of each loop, and what follows for the branches.

    Args:
        nest: the loops.
        blocks: the program's blocks.
        assumed: branches whose condition is not known.
        trips: passes of a loop.
        trips_at: passes of the loop whose head is an instruction, where they are others.
        waves: how many waves there are.
    """

    def __init__(
        self,
        nest: LoopNest,
        blocks: BlockMap,
        assumed: frozenset[int],
        trips: int,
        trips_at: Mapping[int, int],
        waves: int,
    ) -> None:
        self.nest = nest
        self.blocks = blocks
        self.assumed = assumed
        self._trips = {head: max(1, trips_at.get(head, trips)) for head in nest.by_head}
        self._passes = {head: np.zeros(waves, np.int64) for head in nest.by_head}
        self._distances: dict[int, Mapping[int, int]] = {}
        self._resting = {
            head
            for head, loop in nest.by_head.items()
            if any(blocks.block_at(start).stop - 1 in assumed for start in loop.blocks)
        }

    def go(self, block: Block, wave: int, target: int) -> None:
        """``wave`` goes on at ``target`` after ``block``."""
        passes = self._passes.get(target)
        if passes is not None:
            inside = block.start in self.nest.by_head[target].blocks
            passes[wave] = passes[wave] + 1 if inside else 0

    def may_rest(self, block: Block, target: int) -> bool:
        """Whether the loop that goes on so is left by assumption: its registers may stand still till then."""
        inside = (loop for loop in self.nest.around(block.start) if target in loop.blocks)
        loop = next(inside, None)
        return loop is not None and loop.head in self._resting

    def decide(self, block: Block) -> Decision:
        """What the branch at the end of ``block`` does; of an unconditional one in a loop without a way out:
        whether it is followed."""
        around = self.nest.around(block.start)
        if block.exit is not Exit.BRANCH:
            return _not(self._done(around[-1], -1))
        decision = self._usually(block)
        for loop in around:  # the outermost has the last word
            leaving = self._way_out(loop, block)
            if leaving is not None:
                decision = _either(self._done(loop, 1), leaving, decision)
        return decision

    def _usually(self, block: Block) -> Decision:
        """What it does while no loop goes round more often than it should."""
        start, taken, other = block.start, block.target, block.stop
        for loop in self.nest.around(start):
            if taken not in loop.blocks and other not in loop.blocks:
                continue  # both ways leave it
            if taken in loop.blocks and other in loop.blocks:
                return self._inside(loop, taken, block)
            leaves = other if taken in loop.blocks else taken
            left = self._to_leave(start, leaves, loop)
            done = self._done(left, -(not self._asks_first(left, block)))
            return done if leaves == taken else _not(done)
        return self._never

    def _asks_first(self, loop: CodeLoop, block: Block) -> bool:
        """Whether a loop is left at its head, before half of its work: it then goes round before it is left
        once more."""
        if block.start != loop.head or block.target == loop.head:
            return False
        return 2 * len(block) <= sum(len(self.blocks.block_at(start)) for start in loop.blocks)

    def _way_out(self, loop: CodeLoop, block: Block) -> bool | None:
        """Whether the way out of a loop is the branch's target; None if neither way is nearer to one."""
        distances = self._distances.get(loop.head)
        if distances is None:
            jumps = (start for start in loop.blocks if self.blocks.block_at(start).exit is Exit.JUMP)
            goals = self.nest.exits(loop) or jumps  # of a loop without a way out, these end the wave
            distances = self._distances[loop.head] = self.nest.distances(loop, goals)
        far = len(loop.blocks)
        taken, other = (
            distances.get(way, far) if way in loop.blocks else -1 for way in (block.target, block.stop)
        )
        return None if taken == other else taken < other

    def _inside(self, loop: CodeLoop, taken: int, block: Block) -> Decision:
        """Both ways stay: back to the head till the loop is done, then the one nearer to a way out."""
        done = self._done(loop, -1)
        if taken == loop.head:
            return _not(done)
        return done if self._way_out(loop, block) else self._never

    def _to_leave(self, start: int, leaves: int, innermost: CodeLoop) -> CodeLoop:
        """The loop that has to be done before this way out is taken: the outermost that it leaves, unless one
        inside has no other way out."""
        outermost = self.nest.left_by(start, leaves) or innermost
        loop: CodeLoop | None = innermost
        while loop is not None and loop is not outermost:
            ways = (
                self.nest.left_by(each, way)
                for each in self.nest.exits(loop)
                for way in self.nest.following[each]
            )
            if loop not in ways:
                return loop
            loop = loop.outer
        return outermost

    def _done(self, loop: CodeLoop, more: int) -> Decision:
        """Whether waves have been round ``loop`` as often as they should, and ``more`` times, since they came
        to it."""
        made, passes = self._passes[loop.head], self._trips[loop.head] + more
        return lambda waves: np.asarray(made[waves] >= passes)

    def _never(self, waves: slice) -> Bools:
        return np.zeros(waves.stop, np.bool_)[waves]


def _either(asked: Decision, way: bool, otherwise: Decision) -> Decision:
    """``way`` for waves of which ``asked`` is true."""
    return lambda waves: np.where(asked(waves), way, otherwise(waves))


def _not(decision: Decision) -> Decision:
    return lambda waves: ~decision(waves)


def of_outermost_loops(nest: LoopNest, blocks: BlockMap) -> frozenset[int]:
    """Branches that close or leave a loop which no other encloses; of a loop without a way out, all."""
    found = set()
    for loop in nest.by_head.values():
        if loop.outer is not None:
            continue
        endless = not nest.exits(loop)
        for start in loop.blocks:
            block = blocks.block_at(start)
            leaves = any(way not in loop.blocks for way in nest.following[start])
            decides = block.exit is Exit.BRANCH and (leaves or block.target == loop.head)
            if decides or (endless and block.exit is Exit.JUMP):
                found.add(block.stop - 1)
    return frozenset(found)


def loop_branches(nest: LoopNest, blocks: BlockMap) -> frozenset[int]:
    """Branches that close or leave a loop."""
    found = set()
    for start in nest.innermost:
        block = blocks.block_at(start)
        for loop in nest.around(start):
            leaves = any(way not in loop.blocks for way in nest.following[start])
            if block.exit in (Exit.BRANCH, Exit.JUMP) and (leaves or block.target == loop.head):
                found.add(block.stop - 1)
    return frozenset(found)
