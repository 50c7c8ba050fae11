"""Rotation: operations run one pass ahead. The loop is cut elsewhere, what is executed stays the same.

A pass is an order of its operations, S then R. Executed is S R S R ... S R. The rotated loop has R S: the
S of the first pass stands before it and the R of the last one behind it. Inside the new loop a schedule may
then lay the S of a pass beside the R of the pass before. S must hold what decides whether there is another
pass, so that the branch knows it: the compare, and all that must come before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wavesim.asm.layout import lay_out
from wavesim.isa.kinds import Kind
from wavesim.program import Instruction, Program, Symbol
from wavesim.program.dataflow import Effects
from wavesim.trace import PUT_IN, CodeEntry, Trace, WaveTrace
from wavesim.trace.decode import code_entries
from wavesim.tuning.dependence import Order
from wavesim.tuning.loop import PLACED_ANEW, Int64, LoopBlock
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
    """A rotated kernel: its program, streams and loop; ``origin`` gives of each operation of the new loop the
    static instruction of the kernel as it was."""

    program: Program
    trace: Trace
    block: LoopBlock
    origin: tuple[int, ...]


def cuts(
    block: LoopBlock, code: Sequence[CodeEntry], effects: Sequence[Effects], order: Order
) -> Iterator[tuple[int, ...]]:
    """Sets of operations to run one pass ahead, each with all that must come before it, in program order."""
    decides = _deciders(block, effects)
    if block_branch(block, code) is None or decides is None:
        return
    first = _closed(order, decides)
    wholes = {tuple(sorted(first))}
    kinds = [code[index].kind for index in block.operations]
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
        if 0 < len(found) < len(block.operations):
            yield found


def block_branch(block: LoopBlock, code: Sequence[CodeEntry]) -> str | None:
    """The opcode that ends the loop where another one can guard it."""
    opcode = code[block.tail].instruction.opcode
    return opcode if opcode in INVERSE else None


def _deciders(block: LoopBlock, effects: Sequence[Effects]) -> set[int] | None:
    """The last operations that write what the branch reads; ``None`` where none of the loop does."""
    found: set[int] = set()
    for register in effects[block.tail].reads:
        writers = [n for n, index in enumerate(block.operations) if register in effects[index].writes]
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
    """How a loop is rotated: the first ``ahead`` of ``pieces``, a schedule of ``block`` with its branch, make
    S; the others R. ``behind`` are wait states that stand behind the last R."""

    block: LoopBlock
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
    block, branch = turn.block, turn.pieces[-1][1]
    s, r, last = turn.s, turn.r, turn.last
    again, rest = (_fresh(program, f"{block.label}{word}") for word in ("_pass", "_last"))
    guard = replace(branch, opcode=INVERSE[branch.opcode], operands=(Symbol(rest),))
    closing = replace(branch, operands=(Symbol(again),))
    head = block.head + len(s) + 1
    body = [*r, *s, (block.tail, closing)]
    instructions = (
        *program.instructions[: block.head],
        *(each for _, each in s),
        guard,
        *(each for _, each in body),
        *(each for _, each in last),
        *program.instructions[block.tail + 1 :],
    )
    more = len(instructions) - len(program)
    labels = {name: place + more if place > block.tail else place for name, place in program.labels.items()}
    labels |= {again: head, rest: head + len(body)}
    addresses, sizes = lay_out(instructions, program.arch)
    unrolled = dict(program.unrolled)
    if block.label in unrolled:
        unrolled[again] = unrolled[block.label]
    changed = replace(
        program,
        instructions=instructions,
        labels=labels,
        addresses=addresses,
        sizes=sizes,
        unrolled=unrolled,
    )
    return changed, head, [index for index, _ in body]


def rotated(trace: Trace, block: LoopBlock, turn: Turn) -> Rotated:
    """The kernel rotated (:func:`rotated_program`), with its streams; ``block`` has the passes in them."""
    changed, head, origins = rotated_program(trace.program, turn)
    more = len(changed) - len(trace.program)
    waves, passes = [], []
    for wave, starts in zip(trace.waves, block.passes, strict=True):
        stream, heads = _stream(wave, starts, turn, more)
        waves.append(stream)
        passes.append(heads)
    code = code_entries(changed)
    new = replace(trace, program=changed, code=code, waves=tuple(waves))
    moving = [n for n in range(len(origins) - 1) if code[head + n].kind not in PLACED_ANEW]
    label = changed.label_at(head) or block.label
    return Rotated(
        changed,
        new,
        LoopBlock(head, head + len(origins) - 1, tuple(head + n for n in moving), tuple(passes), label),
        tuple(origins[n] for n in moving),
    )


def _fresh(program: Program, name: str) -> str:
    while name in program.labels:
        name += "_"
    return name


def _stream(wave: WaveTrace, starts: Int64, turn: Turn, more: int) -> tuple[WaveTrace, Int64]:
    """A wave's stream in the rotated program, and the rows at which its passes begin."""
    block = turn.block
    code = wave.code.astype(np.int64)
    later = np.where(code > block.tail, code + more, code)
    s, r, end_of_all = (
        np.array([index for index, _ in part], np.int64) for part in (turn.s, turn.r, turn.last)
    )
    ahead, behind = len(s), len(r)
    head = block.head + ahead + 1
    source: list[Int64] = []
    codes: list[Int64] = []
    heads: list[int] = []
    length = 0

    def put(rows: Int64, new: Int64) -> None:
        nonlocal length
        source.append(rows)
        codes.append(new)
        length += len(rows)

    def of_pass(origins: Int64, start: int) -> Int64:
        return np.where(origins == PUT_IN, PUT_IN, origins - block.head + start)

    row = 0
    for first, last in _entries(starts, block.length):
        begin, end = int(starts[first]), int(starts[last]) + block.length
        put(np.arange(row, begin), later[row:begin])
        put(of_pass(s, begin), block.head + np.arange(ahead))
        put(np.array([PUT_IN]), np.array([head - 1]))
        for number in range(first, last):
            heads.append(length)
            this, following = int(starts[number]), int(starts[number + 1])
            put(of_pass(r, this), head + np.arange(behind))
            put(of_pass(s, following), head + behind + np.arange(ahead))
            put(np.array([following + block.length - 1]), np.array([head + behind + ahead]))
        put(of_pass(end_of_all, int(starts[last])), head + behind + ahead + 1 + np.arange(len(end_of_all)))
        row = end
    put(np.arange(row, len(code)), later[row:])
    rows, new = np.concatenate(source), np.concatenate(codes)
    stream = wave.gathered(rows, new)
    if (np.diff(starts) != block.length).any() or len(starts) < 2:  # a guard is taken where there is one pass
        guards = np.flatnonzero(new == head - 1)
        stream.taken[guards] = [last == first for first, last in _entries(starts, block.length)]
    return stream, np.array(heads, np.int64)


def _entries(starts: Int64, length: int) -> Iterator[tuple[int, int]]:
    """Runs of passes that follow each other at once: the first and the last of each."""
    if not len(starts):
        return
    breaks = np.flatnonzero(np.diff(starts) != length)
    firsts = [0, *(breaks + 1).tolist()]
    lasts = [*breaks.tolist(), len(starts) - 1]
    yield from zip(firsts, lasts, strict=True)
