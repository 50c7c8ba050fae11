"""The loops of a program's static control flow, nested, and the ways by which they are left.

A loop is a set of blocks that all reach one another. One of them, where control comes in, is its head;
without the ways back to the head the rest falls into the loops inside. So every way that goes round for
ever goes through the head of some loop for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wavesim.emulate.blocks import BlockMap, Exit

ON = (Exit.FALL, Exit.BRANCH, Exit.BARRIER, Exit.INDIRECT)
"""Ends of blocks behind which control can go on."""


@dataclass(frozen=True, eq=False)
class CodeLoop:
    """A loop: the first instructions of its blocks, of its head, and the loop around it."""

    head: int
    blocks: frozenset[int]
    outer: CodeLoop | None = field(repr=False)


@dataclass(frozen=True)
class LoopNest:
    """All loops of a program.

    Attributes:
        following: per block where control can go next.
        innermost: per block inside a loop the innermost one.
        by_head: loops by their head.
    """

    following: Mapping[int, tuple[int, ...]]
    innermost: Mapping[int, CodeLoop]
    by_head: Mapping[int, CodeLoop]

    def around(self, block: int) -> list[CodeLoop]:
        """The loops that a block is in, the innermost first."""
        found = []
        loop = self.innermost.get(block)
        while loop is not None:
            found.append(loop)
            loop = loop.outer
        return found

    def left_by(self, block: int, target: int) -> CodeLoop | None:
        """The outermost loop that is left on the way from ``block`` to ``target``."""
        left = [loop for loop in self.around(block) if target not in loop.blocks]
        return left[-1] if left else None

    def exits(self, loop: CodeLoop) -> list[int]:
        """Blocks of a loop from which a way leaves it."""
        return [
            block
            for block in sorted(loop.blocks)
            if any(target not in loop.blocks for target in self.following[block])
        ]

    def distances(self, loop: CodeLoop, goals: Iterable[int]) -> Mapping[int, int]:
        """Per block of a loop how many blocks it is to the nearest of ``goals``, within the loop."""
        known = dict.fromkeys(goals, 0)
        before: dict[int, list[int]] = {}
        for block in loop.blocks:
            for target in self.following[block]:
                before.setdefault(target, []).append(block)
        todo = list(known)
        for block in todo:
            for each in before.get(block, ()):
                if each not in known:
                    known[each] = known[block] + 1
                    todo.append(each)
        return known


def loop_nest(blocks: BlockMap) -> LoopNest:
    """The loops of what control can reach."""
    following: dict[int, tuple[int, ...]] = {}
    todo = [0, *blocks.program.functions()]
    entries = set(todo)
    while todo:
        start = todo.pop()
        if start in following:
            continue
        block = blocks.block_at(start)
        ways = [block.target] if block.target >= 0 else []
        ways += [block.stop] if block.exit in ON else []
        following[start] = tuple(dict.fromkeys(way for way in ways if way < len(blocks.code)))
        todo += following[start]
    innermost: dict[int, CodeLoop] = {}
    by_head: dict[int, CodeLoop] = {}
    parts: list[tuple[frozenset[int], frozenset[int], CodeLoop | None]]
    parts = [(frozenset(following), frozenset(), None)]
    while parts:
        nodes, closed, outer = parts.pop()
        inside = {
            node: [way for way in following[node] if way in nodes and way not in closed] for node in nodes
        }
        come_from_outside = entries | {
            way for node in following if node not in nodes for way in following[node]
        }
        for members in _components(inside):
            if len(members) == 1 and members[0] not in inside[members[0]]:
                continue
            found = frozenset(members)
            entered = come_from_outside | {way for node in nodes - found for way in following[node]}
            head = min(found & entered, default=min(found))
            loop = CodeLoop(head, found, outer)
            by_head[head] = loop
            innermost.update(dict.fromkeys(found, loop))  # the loops inside come later, and replace it
            parts.append((found, closed | {head}, loop))
    return LoopNest(following, innermost, by_head)


def _components(ways: Mapping[int, Iterable[int]]) -> list[list[int]]:
    """The strongly connected components of a graph (Tarjan), without recursion."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    standing: set[int] = set()
    found = []
    for root in sorted(ways):
        if root in number:
            continue
        path = [(root, iter(ways[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        standing.add(root)
        while path:
            node, rest = path[-1]
            for way in rest:
                if way not in number:
                    number[way] = low[way] = len(number)
                    stack.append(way)
                    standing.add(way)
                    path.append((way, iter(ways[way])))
                    break
                if way in standing:
                    low[node] = min(low[node], number[way])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    members = []
                    while True:
                        member = stack.pop()
                        standing.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    found.append(members)
    return found
