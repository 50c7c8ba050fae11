"""A schedule: an order of a loop's units with its waits and wait states, as a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from wavesim.asm.layout import lay_out
from wavesim.checks.cfg import control_flow
from wavesim.checks.outstanding import Ages, join
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.program import Immediate, Instruction, Program, Waitcnt
from wavesim.program.orders import reverse_postorder
from wavesim.trace import PUT_IN
from wavesim.trace.decode import code_entries
from wavesim.trace.relaid import block_starts
from wavesim.tuning.dependence import Order
from wavesim.tuning.loop import Loop
from wavesim.tuning.states import MOST_STATES, Distances, Spacing, StatePlan, nearest
from wavesim.tuning.waits import Counts, Meets, Outgoing, WaitPlan

Int64 = npt.NDArray[np.int64]

Piece = tuple[int, Instruction]
"""(index in the program as it is, or PUT_IN; instruction)."""

MOST_KNOWN = 20_000
"""Blocks remembered."""


@dataclass(frozen=True)
class Schedule:
    """The instructions of a loop's code, block by block as they stand, and what is put in outside: ``ahead``
    where the loop is entered, ``behind`` the places outside to which it is left."""

    loop: Loop
    blocks: tuple[tuple[Piece, ...], ...]
    ahead: tuple[Instruction, ...] = ()
    behind: Mapping[int, tuple[Instruction, ...]] = field(default_factory=dict)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All blocks' instructions."""
        return tuple(piece for block in self.blocks for piece in block)

    def on(self, program: Program) -> Schedule:
        """The same with the instructions of another program of the same shape."""
        return replace(self, blocks=tuple(tuple(on(program, block)) for block in self.blocks))


@dataclass(frozen=True)
class Layout:
    """A program's instructions, those of a schedule in it; where each basic block of the program as it was
    begins now, and their number."""

    pieces: list[Piece]
    bounds: Int64
    origins: Int64


@dataclass(frozen=True)
class _Known:
    """What holds where a block begins."""

    ages: Ages
    distances: Distances

    def or_else(self, other: _Known) -> _Known:
        return _Known(join(self.ages, other.ages), nearest(self.distances, other.distances))


@dataclass(frozen=True)
class Scheduler:
    """Makes schedules of one loop. ``order`` is what they must keep."""

    loop: Loop
    program: Program
    order: Order
    waits: WaitPlan
    states: StatePlan
    behind: tuple[tuple[int, ...], ...]  # per block those behind it in the loop
    leaves: tuple[tuple[int, ...], ...]  # per block the places outside to which it may go
    rank: tuple[int, ...]  # per block its place in an order that follows the ways
    known: dict[object, tuple[tuple[Piece, ...], _Known]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, loop: Loop, relaxer: WaitRelaxer, order: Order, meets: Meets | None = None) -> Scheduler:
        """For the kernel that ``relaxer`` judges; ``meets`` as :class:`WaitPlan` takes it."""
        number = {block.start: n for n, block in enumerate(loop.blocks)}
        inside, outside = [], []
        for block in loop.blocks:
            targets = relaxer.flow.successors[block.stop - 1] if block.inside else ()
            inside.append(tuple(number[each] for each in targets if each in loop.members))
            outside.append(tuple(each for each in targets if each not in loop.members))
        return cls(
            loop,
            relaxer.program,
            order,
            WaitPlan.of(loop, relaxer, meets),
            StatePlan.of(loop, relaxer),
            tuple(inside),
            tuple(outside),
            tuple(_ranks(number[loop.head], inside)),
        )

    def schedule(self, order: Sequence[int]) -> Schedule:
        """For an order of the loop's units."""
        contents = self.loop.contents(order)
        blocks = self.loop.blocks
        head = next(n for n, block in enumerate(blocks) if block.start == self.loop.head)
        before: dict[int, _Known] = {head: _Known(self.waits.entry, {})}
        made: dict[int, tuple[Piece, ...]] = {}
        left: dict[int, Ages] = {}
        todo = [head]
        while todo:  # until what holds stays the same: it only grows, within what counters hold
            number = min(todo, key=self.rank.__getitem__)
            todo.remove(number)
            made[number], known = self._filled(number, contents[number], before[number])
            for target in self.behind[number]:
                joined = known if target not in before else before[target].or_else(known)
                if target not in before or joined != before[target]:
                    before[target] = joined
                    if target not in todo:
                        todo.append(target)
            for place in self.leaves[number]:
                left[place] = join(left.get(place, {}), known.ages)
        return Schedule(
            self.loop,
            tuple(made[n] if n in made else self._as_it_is(n) for n in range(len(blocks))),
            behind={
                place: (waiting(counts),)
                for place, ages in sorted(left.items())
                if (counts := self.waits.exit_wait(place, ages)) != (None, None)
            },
        )

    def _as_it_is(self, number: int) -> tuple[Piece, ...]:
        block = self.loop.blocks[number]
        return tuple((n, self.program.instructions[n]) for n in range(block.start, block.stop))

    def _filled(self, number: int, content: Sequence[int], known: _Known) -> tuple[tuple[Piece, ...], _Known]:
        """A block with its waits and wait states, and what holds behind it; remembered where a schedule of
        many blocks differs from the last one in a few."""
        if self.loop.straight:
            return self._made(number, content, known)
        key = number, *content, frozenset(known.ages.items()), frozenset(known.distances.items())
        if key not in self.known:
            if len(self.known) > MOST_KNOWN:
                self.known.clear()
            self.known[key] = self._made(number, content, known)
        return self.known[key]

    def _made(self, number: int, content: Sequence[int], known: _Known) -> tuple[tuple[Piece, ...], _Known]:
        outgoing, spacing = Outgoing(self.waits, known.ages), Spacing(self.states, known.distances)
        tail = self.loop.blocks[number].tail
        pieces: list[Piece] = []
        for index in (*content, tail) if tail is not None else content:
            counts = outgoing.wait(index)
            if counts is not None:
                pieces.append((PUT_IN, waiting(counts)))
                spacing.issue(PUT_IN)
            missing = spacing.missing(index)
            if missing:
                pieces += [(PUT_IN, nop) for nop in nops(missing)]
            pieces.append((index, self.program.instructions[index]))
            outgoing.issue(index)
            spacing.issue(index)
        return tuple(pieces), _Known(outgoing.ages(), spacing.distances())


def _ranks(head: int, behind: Sequence[Sequence[int]]) -> list[int]:
    """Of each block its place behind those that lead to it, loops apart."""
    place = reverse_postorder(head, behind)
    return [place.get(block, len(behind)) for block in range(len(behind))]


def waiting(counts: Counts) -> Instruction:
    """``s_waitcnt`` for these counts."""
    return Instruction("s_waitcnt", (Waitcnt(counts[0], None, counts[1]),))


def nops(states: int) -> list[Instruction]:
    """``s_nop`` for so many wait states."""
    found = []
    while states > 0:
        some = min(states, MOST_STATES)
        found.append(Instruction("s_nop", (Immediate(some - 1),)))
        states -= some
    return found


def on(program: Program, pieces: Sequence[Piece]) -> list[Piece]:
    """The same pieces with the instructions of another program of the same shape."""
    return [(n, each if n == PUT_IN else program.instructions[n]) for n, each in pieces]


def each_block(schedule: Schedule, change: Callable[[Sequence[Piece]], Sequence[Piece]]) -> Schedule:
    """The schedule with every block of the loop changed."""
    blocks = zip(schedule.loop.blocks, schedule.blocks, strict=True)
    return replace(
        schedule, blocks=tuple(tuple(change(mine)) if block.inside else mine for block, mine in blocks)
    )


def laid_out(program: Program, starts: Sequence[int], schedule: Schedule) -> Layout:
    """The program with the schedule in it.

    Args:
        program: as it is.
        starts: where its basic blocks begin.
        schedule: of a loop of it.
    """
    loop = schedule.loop
    extra: dict[int, tuple[Instruction, ...]] = dict(schedule.behind)
    if schedule.ahead:
        for place in entrances(program, loop):
            extra[place] = (*schedule.ahead, *extra.get(place, ()))
    inside = {block.start: mine for block, mine in zip(loop.blocks, schedule.blocks, strict=True)}
    pieces: list[Piece] = []
    bounds = []
    for start, stop in zip(starts, [*starts[1:], len(program)], strict=True):
        bounds.append(len(pieces))
        if start in inside:
            pieces += inside[start]
            continue
        for index in range(start, stop):
            pieces += [(PUT_IN, each) for each in extra.get(index, ())]
            pieces.append((index, program.instructions[index]))
        pieces += [(PUT_IN, each) for each in extra.get(~stop, ())]
    bounds.append(len(pieces))
    return Layout(pieces, np.array(bounds, np.int64), np.array([index for index, _ in pieces], np.int64))


def entrances(program: Program, loop: Loop) -> Iterator[int]:
    """Where instructions stand that are executed when a loop is entered, and not in its passes: before a
    jump to its head, or (``~place``) at the end of a block that falls into it."""
    code = code_entries(program)
    for source in control_flow(program, code).predecessors[loop.head]:
        if source not in loop.members:
            yield source if code[source].kind in BRANCH_KINDS else ~loop.head


def scheduled_program(program: Program, schedule: Schedule) -> Program:
    """The program with a schedule in its loop's place, laid out anew."""
    starts = block_starts(program, code_entries(program))
    return program_of(program, starts, laid_out(program, starts, schedule))


def program_of(program: Program, starts: Sequence[int], layout: Layout) -> Program:
    """The program of a layout; ``starts`` are those of the blocks of the program as it is."""
    instructions = tuple(each for _, each in layout.pieces)
    now = dict(zip([*starts, len(program)], layout.bounds.tolist(), strict=True))
    labels = {name: now[place] for name, place in program.labels.items()}
    addresses, sizes = lay_out(instructions, program.arch)
    return replace(program, instructions=instructions, labels=labels, addresses=addresses, sizes=sizes)
