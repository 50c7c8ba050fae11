"""Rotation: operations run one pass ahead. The loop is cut elsewhere, what is executed stays the same.

A pass is an order of its operations, S then R. Executed is S R S R ... S R. The rotated loop has R S: the
S of the first pass stands before it and the R of the last one behind it. Inside the new loop a schedule may
then lay the S of a pass beside the R of the pass before. S must hold what decides whether there is another
pass, so that the branch knows it: the compare, and all that must come before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from wavesim.asm.layout import lay_out
from wavesim.isa.kinds import Kind
from wavesim.program import Instruction, Program, Symbol
from wavesim.program.dataflow import Effects
from wavesim.trace import PUT_IN, CodeEntry, Trace
from wavesim.trace.decode import code_entries
from wavesim.trace.relaid import Ways, block_starts
from wavesim.tuning.dependence import Order
from wavesim.tuning.loop import PLACED_ANEW, Block, Loop
from wavesim.tuning.schedule import Piece, on

INVERSE = {
    "s_cbranch_scc1": "s_cbranch_scc0",
    "s_cbranch_scc0": "s_cbranch_scc1",
    "s_cbranch_vccnz": "s_cbranch_vccz",
    "s_cbranch_vccz": "s_cbranch_vccnz",
}
"""The branch that is taken where the other is not."""

MOST_CUTS = 12


@dataclass(frozen=True)
class Rotated:
    """A rotated kernel: its streams and loop; ``origin`` gives of each operation of the new loop the
    static instruction of the kernel as it was."""

    trace: Trace
    loop: Loop
    origin: tuple[int, ...]


def cuts(
    loop: Loop, code: Sequence[CodeEntry], effects: Sequence[Effects], order: Order
) -> Iterator[tuple[int, ...]]:
    """Sets of operations to run one pass ahead, each with all that must come before it, in program order;
    none for a loop of several blocks."""
    if not loop.straight:
        return
    decides = _deciders(loop, effects)
    if _guardable(loop, code) is None or decides is None:
        return
    first = _closed(order, decides)
    wholes = {tuple(sorted(first))}
    kinds = [code[index].kind for index in loop.operations]
    edges = [
        place
        for place in range(1, len(kinds))
        if Kind.BARRIER in (kinds[place], kinds[place - 1])
        or (kinds[place] is Kind.MFMA) != (kinds[place - 1] is Kind.MFMA)
    ]
    spread = (
        edges if len(edges) <= MOST_CUTS else [edges[n * len(edges) // MOST_CUTS] for n in range(MOST_CUTS)]
    )
    for place in spread:
        memory = {number for number in range(place) if kinds[number] is not Kind.MFMA}
        wholes.add(tuple(sorted(first | _closed(order, memory))))
    for found in sorted(wholes, key=lambda each: (len(each), each)):
        if 0 < len(found) < len(loop.operations):
            yield found


def _guardable(loop: Loop, code: Sequence[CodeEntry]) -> str | None:
    """The opcode that ends the loop where another one can guard it."""
    opcode = code[loop.tail].instruction.opcode
    return opcode if opcode in INVERSE else None


def _deciders(loop: Loop, effects: Sequence[Effects]) -> set[int] | None:
    """The last operations that write what the branch reads; ``None`` where none of the loop does."""
    found: set[int] = set()
    for register in effects[loop.tail].reads:
        writers = [n for n, index in enumerate(loop.operations) if register in effects[index].writes]
        if writers:
            found.add(writers[-1])
    return found or None


def _closed(order: Order, operations: set[int]) -> set[int]:
    found = set(operations)
    todo = list(operations)
    while todo:
        for earlier in order.before[todo.pop()]:
            if earlier not in found:
                found.add(earlier)
                todo.append(earlier)
    return found


@dataclass(frozen=True)
class Turn:
    """How a loop is rotated: the first ``ahead`` of ``pieces``, a schedule of ``loop`` with its branch, make
    S; the others R. ``behind`` are wait states that stand behind the last R."""

    loop: Loop
    pieces: tuple[Piece, ...]
    ahead: int
    behind: tuple[Instruction, ...] = ()

    @property
    def s(self) -> list[Piece]:
        """What runs one pass ahead."""
        return list(self.pieces[: self.ahead])

    @property
    def r(self) -> list[Piece]:
        """The others, without the branch."""
        return list(self.pieces[self.ahead : -1])

    @property
    def last(self) -> list[Piece]:
        """What stands behind the loop."""
        return [*self.r, *((PUT_IN, each) for each in self.behind)]

    def of(self, program: Program) -> Turn:
        """The same for another program of the same shape."""
        return replace(self, pieces=tuple(on(program, self.pieces)))


def rotated_program(program: Program, turn: Turn) -> tuple[Program, int, list[int]]:
    """The rotated program; where its new loop begins, and what its instructions were, in the program as it
    is."""
    loop, branch = turn.loop, turn.pieces[-1][1]
    s, r, last = turn.s, turn.r, turn.last
    again, rest = (_fresh(program, f"{loop.label}{word}") for word in ("_pass", "_last"))
    guard = replace(branch, opcode=INVERSE[branch.opcode], operands=(Symbol(rest),))
    closing = replace(branch, operands=(Symbol(again),))
    head = loop.head + len(s) + 1
    body = [*r, *s, (loop.tail, closing)]
    instructions = (
        *program.instructions[: loop.head],
        *(each for _, each in s),
        guard,
        *(each for _, each in body),
        *(each for _, each in last),
        *program.instructions[loop.tail + 1 :],
    )
    more = len(instructions) - len(program)
    labels = {name: place + more if place > loop.tail else place for name, place in program.labels.items()}
    labels |= {again: head, rest: head + len(body)}
    addresses, sizes = lay_out(instructions, program.arch)
    unrolled = dict(program.unrolled)
    if loop.label in unrolled:
        unrolled[again] = unrolled[loop.label]
    changed = replace(
        program,
        instructions=instructions,
        labels=labels,
        addresses=addresses,
        sizes=sizes,
        unrolled=unrolled,
    )
    return changed, head, [index for index, _ in body]


def rotated(trace: Trace, turn: Turn) -> Rotated:
    """The kernel rotated (:func:`rotated_program`), with its streams."""
    loop = turn.loop
    changed, head, body = rotated_program(trace.program, turn)
    code = code_entries(changed)
    more = len(changed) - len(trace.program)
    origins = np.concatenate(
        (
            np.arange(loop.head),
            np.array([index for index, _ in turn.s], np.int64),
            [loop.tail],  # the guard
            np.array(body, np.int64),
            np.array([index for index, _ in turn.last], np.int64),
            np.arange(loop.tail + 1, len(trace.program)),
        )
    )
    bounds = block_starts(changed, code)
    before = block_starts(trace.program, trace.code)
    number_of = {start: number for number, start in enumerate(bounds)}
    mine = [number_of[start] for start in (loop.head, head, head + len(body))]

    def now(start: int) -> list[int]:  # none where the last R runs on into it
        number = number_of.get(start + more if start > loop.tail else start)
        return [] if number is None else [number]

    starts = np.zeros(len(trace.program), bool)
    starts[before] = True
    blocks = []
    for wave in trace.waves:
        executed = wave.code[starts[wave.code]]
        way: list[int] = []
        for start, several in groupby(executed.tolist()):
            passes = len(list(several))
            if start == loop.head:
                way += [mine[0], *[mine[1]] * (passes - 1), mine[2]]
            else:
                way += now(start) * passes
        blocks.append(np.array(way, np.int64))
    ways = Ways(trace, blocks)
    waves = ways.streams(trace, ways.relaid(origins, np.array([*bounds, len(changed)], np.int64)))
    for wave in waves:
        guards = np.flatnonzero(wave.code == head - 1)
        wave.taken[guards] = wave.code[guards + 1] != head
    rest = replace(trace, program=changed, code=code, waves=waves)
    moving = tuple(n for n in range(len(body) - 1) if code[head + n].kind not in PLACED_ANEW)
    operations = tuple(head + n for n in moving)
    passes_at = tuple(np.flatnonzero(wave.code == head).astype(np.int64) for wave in waves)
    label = changed.label_at(head) or loop.label
    straight = Block(head, head + len(body), operations, head + len(body) - 1, True)
    return Rotated(
        rest,
        replace(
            loop,
            head=head,
            blocks=(straight,),
            operations=operations,
            passes=passes_at,
            label=label,
            members=frozenset(range(head, head + len(body))),
            own=frozenset(range(head, head + len(body))),
        ),
        tuple(body[n] for n in moving),
    )


def _fresh(program: Program, name: str) -> str:
    while name in program.labels:
        name += "_"
    return name
