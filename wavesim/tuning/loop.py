"""The loop that is scheduled anew: its basic blocks, which of them share their operations, and its passes.

Blocks that are executed the same number of times, one always behind the other, make a *level*: an operation
of one may stand in another. What lies between two of them, a branch with blocks that are not always executed
or a loop inside, is passed as a whole (:class:`End`). Each loop inside and each branch has levels of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wavesim.analyze.loops import CALLS, find_loops
from wavesim.checks.cfg import branch_target, control_flow
from wavesim.errors import SourceSpan, UserError
from wavesim.front.loops import CodeLoop, code_loops
from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.program import Instruction, Program
from wavesim.trace import CodeEntry, Kind, Trace
from wavesim.trace.relaid import block_starts

if TYPE_CHECKING:
    import networkx as nx

Int64 = npt.NDArray[np.int64]

PLACED_ANEW = frozenset({Kind.WAIT, Kind.NOP})
"""What a schedule does not move but needs in other places: waits for counters, and wait states."""

OUTER_SHARE = 1.1
"""An outer loop is the one that counts if it executes so many times the instructions of each one inside."""

RARE = 8
"""Blocks executed less than once in so many passes keep their order: nothing is to be gained there."""

_END = CodeEntry(Instruction("end"), Kind.INTERNAL)
_OUT = -1


@dataclass(frozen=True)
class Block:
    """A basic block, instructions [start, stop). ``operations`` have a place in a schedule: all but waits,
    s_nop and ``tail``, the branch that ends it. ``inside`` says whether it belongs to the loop."""

    start: int
    stop: int
    operations: tuple[int, ...]
    tail: int | None
    inside: bool


@dataclass(frozen=True)
class End:
    """The end of ``block`` in a schedule. ``passed`` are the instructions between it and the next block of
    its level: its branch and what lies behind. Nothing passes the end of the ``last`` block of a level."""

    block: int
    passed: tuple[int, ...]
    last: bool


@dataclass(frozen=True)
class Loop:
    """A loop. A schedule is an order of its *units*, which are numbered from 0: the operations and the ends
    of its blocks, level by level.

    Attributes:
        head: static instruction at which a pass begins.
        blocks: all blocks from its first to its last one, as they stand.
        operations: of each unit its static instruction; of an end the branch, or -1 where there is none.
        ends: of those units that are the end of a block. That of the last block is left out.
        last: the block that is not ended by a unit.
        fixed: units that keep their order.
        passes: per wave the rows at which passes begin.
        label: the name of its head.
        members: its instructions; ``own``: those that are in no loop inside.
    """

    head: int
    blocks: tuple[Block, ...]
    operations: tuple[int, ...]
    ends: dict[int, End]
    last: int
    fixed: frozenset[int]
    passes: tuple[Int64, ...]
    label: str
    members: frozenset[int]
    own: frozenset[int]

    @property
    def low(self) -> int:
        """Where its code begins, with what stands in between."""
        return self.blocks[0].start

    @property
    def high(self) -> int:
        """Where its code ends, with what stands in between."""
        return self.blocks[-1].stop

    @property
    def straight(self) -> bool:
        """Whether it is one basic block that branches back to itself."""
        return len(self.blocks) == 1

    @property
    def tail(self) -> int:
        """Of a straight loop: the branch back."""
        return self.high - 1

    def contents(self, order: Sequence[int]) -> dict[int, list[int]]:
        """Static instructions of each of its blocks, in an order of its units."""
        found: dict[int, list[int]] = {}
        here: list[int] = []
        for unit in order:
            end = self.ends.get(unit)
            if end is None:
                here.append(self.operations[unit])
            else:
                found[end.block] = here
                here = []
        found[self.last] = here
        return found


def _name_of(program: Program, head: int) -> str:
    """The label of a loop, or its place."""
    return program.label_at(head) or f"instruction {head}"


def loops_of(trace: Trace) -> list[CodeLoop]:
    """The loops that some wave makes at least two passes of, that with most executed instructions first; an
    outer one only before those inside if it executes more of its own."""
    counts = np.zeros(len(trace.program), np.int64)
    again: set[int] = set()
    loops = code_loops(trace.program)
    for wave in trace.waves:
        mine = np.bincount(wave.code, minlength=len(counts))
        counts += mine
        again |= {loop.head for loop in loops if mine[loop.head] > 1}
    executed = {id(loop): int(counts[list(loop.members)].sum()) for loop in loops}
    found = [loop for loop in loops if loop.head in again]

    def weight(loop: CodeLoop) -> tuple[float, int]:
        inside = [executed[id(each)] for each in found if each.members < loop.members]
        own = executed[id(loop)]
        return (own if own >= OUTER_SHARE * max(inside, default=0) else own / OUTER_SHARE), -loop.head

    return sorted(found, key=weight, reverse=True)


def chosen_loop(trace: Trace, label: str | None, span: SourceSpan | None = None) -> Loop:
    """The loop with that label; the one with most executed instructions where none is named.

    Raises:
        UserError: no such loop, or one that cannot be analysed.
    """
    loops = loops_of(trace)
    if label is not None:
        place = trace.program.labels.get(label, -1)
        inner_first = sorted(loops, key=lambda loop: len(loop.members))
        chosen = [loop for loop in inner_first if place == loop.head]
        chosen += [loop for loop in inner_first if place in loop.members]
        if not chosen:
            heads = ", ".join(_name_of(trace.program, loop.head) for loop in loops)
            hint = f"loops that were executed: {heads}" if heads else "no loop of this kernel was executed"
            raise UserError(f"no loop at {label!r}", span, hint)
        return loop_of(trace, chosen[0])
    _refuse_indirect(trace, loops)
    if not loops:
        raise UserError(
            "nothing here may change: no loop was executed", span, "a schedule is found for loops"
        )
    return loop_of(trace, loops[0])


def loop_of(trace: Trace, loop: CodeLoop) -> Loop:
    """A loop of the program ready to be scheduled.

    Raises:
        UserError: its ways cannot be known.
    """
    program, code = trace.program, trace.code
    label = _name_of(program, loop.head)
    _refuse(trace, loop, label)
    starts = [*block_starts(program, code), len(program)]
    inside = [n for n in range(len(starts) - 1) if starts[n] in loop.members]
    first, last = inside[0], inside[-1]
    blocks = tuple(
        _block(code, starts[n], starts[n + 1], starts[n] in loop.members) for n in range(first, last + 1)
    )
    counts = np.zeros(len(program), np.int64)
    for wave in trace.waves:
        counts += np.bincount(wave.code, minlength=len(program))
    operations: list[int] = []
    ends: dict[int, End] = {}
    fixed: set[int] = set()
    final = 0
    loops = code_loops(program)
    for level in _levels(program, code, blocks, loop, loops):
        often = bool(counts[blocks[level[0][0]].start] * RARE >= counts[loop.head])
        begin = len(operations)
        for final, passed in level:
            operations += blocks[final].operations
            ends[len(operations)] = End(final, passed, final == level[-1][0])
            tail = blocks[final].tail
            operations.append(-1 if tail is None else tail)
        if not often:
            fixed.update(range(begin, len(operations)))
    del ends[len(operations) - 1]
    operations.pop()
    passes = tuple(np.flatnonzero(wave.code == loop.head).astype(np.int64) for wave in trace.waves)
    return Loop(
        loop.head,
        blocks,
        tuple(operations),
        ends,
        final,
        frozenset(fixed),
        passes,
        label,
        loop.members,
        loop.members.difference(*(each.members for each in loops if each.members < loop.members)),
    )


def _refuse_indirect(trace: Trace, loops: Sequence[CodeLoop]) -> None:
    """Refuse a loop that was executed and that the code does not show, for a register says where it goes."""
    for found in find_loops(trace, [len(wave) for wave in trace.waves]):
        if any(found.head in loop.members for loop in loops):
            continue
        for index in range(found.head, found.tail + 1):
            if trace.code[index].instruction.opcode in CALLS:
                raise _no(trace, _name_of(trace.program, found.head), index, "goes to where a register says")


def _no(trace: Trace, label: str, index: int, why: str) -> UserError:
    instruction = trace.code[index].instruction
    return UserError(f"the loop at {label} cannot be analysed: {instruction.opcode} {why}", instruction.span)


def _refuse(trace: Trace, loop: CodeLoop, label: str) -> None:
    program, code = trace.program, trace.code

    def no(index: int, why: str) -> UserError:
        return _no(trace, label, index, why)

    polled = {
        int(index)
        for wave in trace.waves
        for spin in wave.spins
        for index in wave.code[spin.first : spin.last + 1]
    }
    for index in sorted(loop.members):
        if code[index].kind in BRANCH_KINDS:
            if code[index].instruction.opcode in CALLS:
                raise no(index, "goes to where a register says")
            if branch_target(program, index) is None:
                raise no(index, "goes to an unknown place")
        if index in polled:
            raise no(
                index, "belongs to a loop that polls memory: how often it is executed is a matter of time"
            )
    flow = control_flow(program, code)
    for index, targets in enumerate(flow.successors):
        behind = [each for each in targets if each in loop.members and each != loop.head]
        if behind and index in flow.reachable and index not in loop.members:
            raise no(index, "enters it behind its head")


def _block(code: Sequence[CodeEntry], start: int, stop: int, inside: bool) -> Block:
    last = code[stop - 1].kind
    tail = stop - 1 if last in BRANCH_KINDS or last is Kind.ENDPGM else None
    moving = range(start, stop if tail is None else tail)
    return Block(start, stop, tuple(n for n in moving if code[n].kind not in PLACED_ANEW), tail, inside)


def _levels(
    program: Program,
    code: Sequence[CodeEntry],
    blocks: Sequence[Block],
    loop: CodeLoop,
    loops: Sequence[CodeLoop],
) -> Iterator[list[tuple[int, tuple[int, ...]]]]:
    """Levels as (block, what is passed behind it), those of the loop itself first."""
    number = {block.start: n for n, block in enumerate(blocks)}
    edges: dict[int, list[int]] = {}
    for n, block in enumerate(blocks):
        if block.inside:
            edges[n] = [number.get(each, _OUT) for each in _successors(program, code, block)]
    inner = [each for each in loops if each.members <= loop.members]
    for each in sorted(inner, key=lambda one: (-len(one.members), one.head)):
        mine = {number[start] for start in each.members if start in number}
        children = [
            {number[start] for start in other.members if start in number}
            for other in inner
            if other.members < each.members and other.depth == each.depth + 1
        ]
        yield from _levels_of(blocks, edges, mine, number[each.head], children)


def _successors(program: Program, code: Sequence[CodeEntry], block: Block) -> Iterable[int]:
    kind = code[block.stop - 1].kind
    if kind in BRANCH_KINDS:
        target = branch_target(program, block.stop - 1)
        yield _OUT if target is None else target
    if kind not in (Kind.BRANCH, Kind.ENDPGM):
        yield block.stop


def _levels_of(
    blocks: Sequence[Block],
    edges: dict[int, list[int]],
    mine: set[int],
    head: int,
    children: Sequence[set[int]],
) -> Iterator[list[tuple[int, tuple[int, ...]]]]:
    import networkx as nx  # takes its time to import

    child = {block: -2 - n for n, several in enumerate(children) for block in several}
    graph = nx.DiGraph()
    for block in mine:
        for target in edges[block]:
            there = target if target in mine and target != head else _OUT
            source, goes = child.get(block, block), child.get(there, there)
            if source != goes:
                graph.add_edge(source, goes)
    start = child.get(head, head)
    before, behind = _chains(graph, start), _chains(graph.reverse(), _OUT)
    seen: set[int] = set()
    for first in nx.topological_sort(graph):
        if first < 0 or first in seen or first not in before or first not in behind:
            continue
        level = [first, *(n for n in behind[first] if n >= 0 and first in before.get(n, ()))]
        seen.update(level)
        yield [
            (block, _passed(blocks, graph, block, after, children))
            for block, after in zip(level, [*level[1:], None], strict=True)
        ]


def _chains(graph: nx.DiGraph, start: int) -> dict[int, list[int]]:
    """Of each node its dominators from ``start``, the nearest first, without itself."""
    import networkx as nx

    above = {node: up for node, up in nx.immediate_dominators(graph, start).items() if up not in (None, node)}
    found = {}
    for node in (*above, start):
        chain, up = [], above.get(node)
        while up is not None:
            chain.append(up)
            up = above.get(up)
        found[node] = chain
    return found


def _passed(
    blocks: Sequence[Block],
    graph: nx.DiGraph,
    block: int,
    after: int | None,
    children: Sequence[set[int]],
) -> tuple[int, ...]:
    if after is None:
        return ()
    between: set[int] = set()
    todo = list(graph.successors(block))
    while todo:
        node = todo.pop()
        if node in (after, _OUT) or node in between:
            continue
        between.add(node)
        todo += graph.successors(node)
    several = [children[-2 - node] if node < 0 else {node} for node in between]
    tail = blocks[block].tail
    inside = sorted(n for each in several for n in each)
    return (
        *(() if tail is None else (tail,)),
        *(index for n in inside for index in range(blocks[n].start, blocks[n].stop)),
    )


def entries_of(loop: Loop, code: Sequence[CodeEntry]) -> tuple[CodeEntry, ...]:
    """What timing needs of its units, in program order."""
    return tuple(_END if unit in loop.ends else code[index] for unit, index in enumerate(loop.operations))
