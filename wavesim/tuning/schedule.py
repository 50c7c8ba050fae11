"""A schedule: an order of a block's operations with its waits and wait states, as program and as streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wavesim.asm.layout import lay_out
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.program import Immediate, Instruction, Program, Waitcnt
from wavesim.trace import PUT_IN, Trace, WaveTrace
from wavesim.trace.decode import code_entries
from wavesim.tuning.dependence import Order
from wavesim.tuning.loop import LoopBlock
from wavesim.tuning.states import MOST_STATES, StatePlan
from wavesim.tuning.waits import WaitPlan

Int64 = npt.NDArray[np.int64]

Piece = tuple[int, Instruction]
"""(index in the program as it is, or PUT_IN; instruction)."""


@dataclass(frozen=True)
class Scheduler:
    """Makes schedules of one block. ``order`` is what they must keep."""

    block: LoopBlock
    program: Program
    order: Order
    waits: WaitPlan
    states: StatePlan

    @classmethod
    def of(cls, block: LoopBlock, relaxer: WaitRelaxer, order: Order) -> Scheduler:
        """For the kernel that ``relaxer`` judges."""
        waits, states = WaitPlan.of(block, relaxer), StatePlan.of(block, relaxer)
        return cls(block, relaxer.program, order, waits, states)

    def pieces(self, order: Sequence[int]) -> list[Piece]:
        """The block's instructions for an order of its operations, the branch included."""
        waits = self.waits.place(order)
        states = self.states.place(order, waits)
        counts = {each.position: each for each in waits}
        pieces: list[Piece] = []
        for position, operation in enumerate(order):
            index = self.block.operations[operation]
            if position in counts:
                wait = Waitcnt(counts[position].vmcnt, None, counts[position].lgkmcnt)
                pieces.append((PUT_IN, Instruction("s_waitcnt", (wait,))))
            pieces += [(PUT_IN, nop) for nop in nops(states.get(position, 0))]
            pieces.append((index, self.program.instructions[index]))
        pieces.append((self.block.tail, self.program.instructions[self.block.tail]))
        return pieces

    def behind(self, order: Sequence[int]) -> list[Instruction]:
        """The wait that must stand behind the loop for an order of its operations, if any."""
        placed = self.waits.place(order)
        if not placed or placed[-1].position < len(order):
            return []
        return [Instruction("s_waitcnt", (Waitcnt(placed[-1].vmcnt, None, placed[-1].lgkmcnt),))]


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


def scheduled_program(
    program: Program,
    block: LoopBlock,
    pieces: Sequence[Piece],
    ahead: Sequence[Instruction] = (),
    behind: Sequence[Instruction] = (),
) -> Program:
    """The program with these instructions in the block's place, laid out anew.

    Args:
        program: as it is.
        block: its loop.
        pieces: a schedule of the loop, the branch included.
        ahead: instructions put in before the loop, outside it.
        behind: instructions put in behind it.
    """
    more = len(pieces) - block.length
    instructions = (
        *program.instructions[: block.head],
        *ahead,
        *(instruction for _, instruction in pieces),
        *behind,
        *program.instructions[block.tail + 1 :],
    )

    def moved(place: int) -> int:
        if place < block.head:
            return place
        return place + len(ahead) + (more + len(behind) if place > block.tail else 0)

    labels = {name: moved(place) for name, place in program.labels.items()}
    addresses, sizes = lay_out(instructions, program.arch)
    return replace(program, instructions=instructions, labels=labels, addresses=addresses, sizes=sizes)


def scheduled_trace(trace: Trace, block: LoopBlock, pieces: Sequence[Piece]) -> Trace:
    """The streams as the program with the schedule would execute them: only the order within passes changes,
    so that nothing is executed again."""
    program = scheduled_program(trace.program, block, pieces)
    origins = np.array([index for index, _ in pieces], np.int64)
    waves = tuple(
        _stream(wave, starts, block, origins) for wave, starts in zip(trace.waves, block.passes, strict=True)
    )
    return replace(trace, program=program, code=code_entries(program), waves=waves)


def _stream(wave: WaveTrace, starts: Int64, block: LoopBlock, origins: Int64) -> WaveTrace:
    source, code = stream_rows(wave.code.astype(np.int64), starts, block, origins)
    return wave.gathered(source, code)


def stream_rows(code: Int64, starts: Int64, block: LoopBlock, origins: Int64) -> tuple[Int64, Int64]:
    """Rows of a wave's stream in their new order (``PUT_IN`` for new ones), and their static instructions."""
    more = len(origins) - block.length
    inside = np.zeros(len(code), bool)
    if len(starts):
        inside[(starts[:, None] + np.arange(block.length)).reshape(-1)] = True
    outside = np.flatnonzero(~inside)
    keys = np.concatenate(
        (
            outside.astype(np.float64),
            np.repeat(starts, len(origins)) + np.tile(_steps(len(origins)), len(starts)),
        )
    )
    rows = np.where(origins == PUT_IN, PUT_IN, origins - block.head)
    moved = np.where(rows == PUT_IN, PUT_IN, starts[:, None] + rows) if len(starts) else np.zeros((0, 0))
    source = np.concatenate((outside, moved.reshape(-1).astype(np.int64)))
    later = code[outside]
    later = np.where(later > block.tail, later + more, later)
    new = np.concatenate((later, np.tile(block.head + np.arange(len(origins)), len(starts))))
    by_place = np.argsort(keys, kind="stable")
    return source[by_place], new[by_place].astype(np.int64)


def _steps(count: int) -> npt.NDArray[np.float64]:
    """Places of ``count`` instructions within the row at which their pass begins."""
    return np.arange(count) / (count + 1)
