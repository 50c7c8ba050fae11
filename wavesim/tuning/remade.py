"""A kernel remade before its loop is scheduled: a barrier taken out, values in registers of their own, half
of the waves a barrier ahead of the others, or no longer so.

Each change says how it makes a program anew, so that it can be made in the kernel at another depth too. None
is taken on trust: the kernel remade is executed and checked like any schedule (:mod:`wavesim.tuning.proof`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from wavesim.asm.layout import lay_out
from wavesim.checks.cfg import ControlFlow
from wavesim.isa.kinds import LANES, Kind
from wavesim.isa.machine import Machine
from wavesim.program import Immediate, Instruction, Modified, Program, Register, Symbol
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Trace
from wavesim.trace.relaid import block_starts
from wavesim.tuning.dependence import Addresses
from wavesim.tuning.loop import Loop
from wavesim.tuning.schedule import Schedule, Scheduler, laid_out, scheduled_program

MOST_SGPRS = 102
"""SGPRs that a kernel may name on gfx9."""


class Change(Protocol):
    """What makes a program anew."""

    @property
    def kind(self) -> str:
        """Its word of ``--change``."""

    @property
    def said(self) -> str:
        """What it does."""

    def applied(self, program: Program) -> Program:
        """The program with it."""

    def origins(self, count: int) -> list[int]:
        """Of each instruction of the new program which one of ``count`` it was; -1: none."""


def with_pieces(
    program: Program, pieces: Sequence[tuple[int, Instruction]], outside: int = -1, **metadata: int
) -> Program:
    """The program of these instructions (and what they were, -1: nothing). What is put in before a label's
    instruction stands behind the label, but before that of ``outside``."""
    origins = [index for index, _ in pieces]
    now = {index: place for place, index in enumerate(origins) if index >= 0}
    now[len(program)] = len(pieces)

    def moved(place: int) -> int:
        while place not in now:  # taken out
            place += 1
        new = now[place]
        while place != outside and new and origins[new - 1] < 0:
            new -= 1
        return new

    instructions = tuple(each for _, each in pieces)
    addresses, sizes = lay_out(instructions, program.arch)
    return replace(
        program,
        instructions=instructions,
        labels={name: moved(place) for name, place in program.labels.items()},
        addresses=addresses,
        sizes=sizes,
        metadata=replace(program.metadata, **metadata),  # type: ignore[arg-type]
    )


# -- barriers


@dataclass(frozen=True)
class WithoutBarriers:
    """Barriers are taken out."""

    indices: tuple[int, ...]
    said: str
    kind: str = "barriers"

    def origins(self, count: int) -> list[int]:
        """All but those."""
        return [each for each in range(count) if each not in self.indices]

    def applied(self, program: Program) -> Program:
        """The program without them."""
        return with_pieces(program, [(n, program.instructions[n]) for n in self.origins(len(program))])


def without_barriers(loop: Loop, code: Sequence[CodeEntry]) -> Iterator[WithoutBarriers]:
    """Each barrier of a loop taken out."""
    barriers = [each for each in sorted(loop.own) if code[each].kind is Kind.BARRIER]
    for number, each in enumerate(barriers, start=1):
        said = f"barrier {number} of {len(barriers)} is taken out: nothing relies on it"
        yield WithoutBarriers((each,), said)


# -- stagger


def in_step(loop: Loop, trace: Trace) -> Iterator[WithoutBarriers]:
    """Without the barriers outside of a loop that only some waves pass. Then all waves are in the same phase
    of it, so that an access to LDS need not be complete at a barrier behind which nothing meets it."""
    passed = [np.bincount(wave.code, minlength=len(trace.code)) for wave in trace.waves]
    alone = tuple(
        n
        for n, entry in enumerate(trace.code)
        if entry.kind is Kind.BARRIER and n not in loop.members and len({int(each[n]) for each in passed}) > 1
    )
    if alone:
        yield WithoutBarriers(alone, "all waves run in step: no barrier is for some of them alone", "stagger")


@dataclass(frozen=True)
class Staggered:
    """Waves from ``first`` on pass one barrier more before the loop, the others one more behind it. ``into``
    and ``out`` are the instructions before which that stands, ``falls`` says that the loop's head is the
    first one. ``register`` is an SGPR that is free everywhere."""

    into: int
    out: int
    falls: bool
    first: int
    register: int
    kind: str = "stagger"

    @property
    def said(self) -> str:
        """What it does."""
        return f"waves from {self.first} on run one barrier behind the others"

    def origins(self, count: int) -> list[int]:
        """With what is put in."""
        found = [-1]
        for index in range(count):
            found += [-1] * 3 * (index in (self.into, self.out))
            found.append(index)
        return found

    def applied(self, program: Program) -> Program:
        """The program with it."""
        own = Register("s", self.register)
        pieces = [(-1, Instruction("v_readfirstlane_b32", (own, Register("v", 0))))]
        after = {}
        for index, each in enumerate(program.instructions):
            for place, opcode, label in (
                (self.into, "s_cbranch_scc1", _IN),
                (self.out, "s_cbranch_scc0", _OUT),
            ):
                if index == place:
                    after[label] = len(pieces) + 3
                    pieces += [
                        (-1, Instruction("s_cmp_lt_u32", (own, Immediate(self.first * LANES)))),
                        (-1, Instruction(opcode, (Symbol(label),))),
                        (-1, Instruction("s_barrier")),
                    ]
            pieces.append((index, each))
        sgprs = max(program.metadata.sgprs, self.register + 1)
        made = with_pieces(program, pieces, self.into if self.falls else -1, sgprs=sgprs)
        return replace(made, labels={**made.labels, **after})


_IN, _OUT = ".Lstagger_in", ".Lstagger_out"


def staggered(
    loop: Loop, code: Sequence[CodeEntry], used: Sequence[Effects], flow: ControlFlow, waves: int
) -> Iterator[Staggered]:
    """Half of the waves one barrier behind, where the loop is entered and left at one place each, has
    barriers, and nobody reads SCC there."""
    leaves = {each for index in loop.members for each in flow.successors[index] if each not in loop.members}
    enters = [each for each in flow.predecessors[loop.head] if each not in loop.members]
    named = {index for each in used for file, index in (*each.reads, *each.writes) if file == "s"}
    register = max((each for each in named if each < MOST_SGPRS), default=0) + 1
    if len(leaves) != 1 or len(enters) != 1 or waves < 2 or register >= MOST_SGPRS:
        return
    (out,), (enter,) = leaves, enters
    others = any(each not in loop.members for each in flow.predecessors[out])
    barriers = any(code[each].kind is Kind.BARRIER for each in loop.own)
    if others or not barriers or code[enter].kind is Kind.COND_BRANCH:
        return
    falls = code[enter].kind is not Kind.BRANCH
    into = loop.head if falls else enter
    if not _reads_scc(into, used, flow) and not _reads_scc(out, used, flow):
        yield Staggered(into, out, falls, waves // 2, register)


def _reads_scc(place: int, used: Sequence[Effects], flow: ControlFlow) -> bool:
    """Whether SCC may be read from ``place`` on before it is written."""
    todo, seen = [place], set()
    while todo:
        index = todo.pop()
        if index in seen:
            continue
        seen.add(index)
        if ("scc", 0) in used[index].reads:
            return True
        if ("scc", 0) not in used[index].writes:
            todo += flow.successors[index]
    return False


# -- rename

Value = tuple[int, int]
"""What an instruction of a block puts into its destination: the instruction, and the operand's number."""


@dataclass(frozen=True)
class Renamed:
    """Values in VGPRs of their own: (instruction, operand) -> the first register; ``vgprs`` are then used."""

    operands: Mapping[tuple[int, int], int]
    values: int
    vgprs: int
    kind: str = "rename"

    @property
    def said(self) -> str:
        """What it does."""
        return f"{self.values} values are in registers of their own, {self.vgprs} VGPRs in all"

    def origins(self, count: int) -> list[int]:
        """The same."""
        return list(range(count))

    def applied(self, program: Program) -> Program:
        """The program with it."""
        instructions = list(program.instructions)
        for (index, number), first in self.operands.items():
            operands = list(instructions[index].operands)
            operand = operands[number]
            held = operand.operand if isinstance(operand, Modified) else operand
            assert isinstance(held, Register)
            new = replace(held, index=first)
            operands[number] = replace(operand, operand=new) if isinstance(operand, Modified) else new
            instructions[index] = replace(instructions[index], operands=tuple(operands))
        old = program.metadata
        accum = max(old.accum_offset, -(-self.vgprs // 4) * 4) if old.accum_offset else 0
        vgprs = max(old.vgprs, self.vgprs, accum + max(0, old.vgprs - old.accum_offset) if accum else 0)
        return with_pieces(program, list(enumerate(instructions)), vgprs=vgprs, accum_offset=accum)


def renamed(
    program: Program, loop: Loop, used: Sequence[Effects], flow: ControlFlow, machine: Machine
) -> Iterator[Renamed]:
    """Values that live within a pass of a block, whose registers hold others in the same pass, in registers
    that nobody uses, as many as are left without a wave less on a SIMD."""
    taken = {index for each in used for file, index in (*each.reads, *each.writes) if file == "v"}
    free = max(taken, default=-1) + 1
    room = machine.waves_per_simd(program.metadata.vgprs)
    live = _live(program, used, flow)
    operands: dict[tuple[int, int], int] = {}
    values = 0
    for block in loop.blocks:
        if not block.inside:
            continue
        for places, size, align in _values(program, block.operations, used, live[block.stop - 1]):
            start = -(-free // align) * align
            offset = program.metadata.vgprs - program.metadata.accum_offset
            if (
                machine.waves_per_simd(max(program.metadata.vgprs, -(-(start + size) // 4) * 4 + offset))
                < room
            ):
                continue
            if start + size > MOST_VGPRS:
                continue
            values += 1
            free = start + size
            operands.update({place: start + shift for place, shift in places.items()})
    if values:
        yield Renamed(operands, values, free)


MOST_VGPRS = 256
"""VGPRs that an instruction can name."""


def _live(program: Program, used: Sequence[Effects], flow: ControlFlow) -> list[frozenset[tuple[str, int]]]:
    """Behind each instruction the registers that may be read before they are written."""
    before: list[frozenset[tuple[str, int]]] = [frozenset()] * len(program)
    behind = list(before)
    todo = set(range(len(program)))
    while todo:
        index = todo.pop()
        after = frozenset().union(*(before[each] for each in flow.successors[index]))
        behind[index] = after
        now = (after - used[index].writes) | used[index].reads
        if now != before[index]:
            before[index] = now
            todo.update(flow.predecessors[index])
    return behind


def _values(
    program: Program,
    operations: Sequence[int],
    used: Sequence[Effects],
    live: frozenset[tuple[str, int]],
) -> Iterator[tuple[dict[tuple[int, int], int], int, int]]:
    """Values of a block that can have registers of their own: the operands that name them with their places
    in the tuple, the tuple's size and alignment. A value is one destination and all that reads it whole or
    in part; where several make up one operand, none can."""
    if any(("exec", 0) in used[index].writes for index in operations):
        return
    holder: dict[int, Value] = {}  # by register who put there what it holds; none: from before the block
    begun: dict[Value, int] = {}
    uses: dict[Value, dict[tuple[int, int], int]] = {}
    bound: set[Value] = set()
    before: set[int] = set()  # registers used already: only then is there something to be gained
    gains: set[Value] = set()
    size: dict[Value, int] = {}
    for index in operations:
        instruction = program.instructions[index]
        mine = used[index]
        named = list(_vgprs(instruction))
        written = {register for file, register in mine.writes if file == "v"}
        for number, held in named:
            registers = range(held.index, held.index + held.count)
            if number == 0 and written.issuperset(registers):
                continue
            values = {holder.get(register) for register in registers}
            whole = values.pop() if len(values) == 1 else None
            if whole is None:
                bound |= {each for each in values if each is not None}
            else:
                uses[whole][index, number] = held.index - begun[whole]
            before.update(registers)
        target = dict(named).get(0)
        reads = {register for file, register in mine.reads if file == "v"}
        bound |= {holder[each] for each in reads & written if each in holder}  # it reads what it writes to
        for register in written:
            holder.pop(register, None)
        if target is None:
            continue
        registers = range(target.index, target.index + target.count)
        if written != set(registers):
            bound |= {holder[each] for each in registers if each in holder}
            continue
        value = (index, 0)
        begun[value], uses[value], size[value] = target.index, {(index, 0): 0}, target.count
        if reads & written:
            bound.add(value)
        if before.intersection(registers):
            gains.add(value)
        holder.update(dict.fromkeys(registers, value))
        before.update(registers)
    bound |= {each for register, each in holder.items() if ("v", register) in live}
    for value in sorted(gains - bound):
        yield uses[value], size[value], 2 if size[value] > 1 else 1


def _vgprs(instruction: Instruction) -> Iterator[tuple[int, Register]]:
    for number, operand in enumerate(instruction.operands):
        held = operand.operand if isinstance(operand, Modified) else operand
        if isinstance(held, Register) and held.file == "v":
            yield number, held


# -- accesses behind later barriers


@dataclass(frozen=True)
class Shifted:
    """Accesses to some bytes of LDS come so many barriers later than others; ``more`` barriers are put in
    behind the instruction ``last`` for that."""

    schedule: Schedule
    origin: tuple[int, ...]
    last: int
    more: int
    said: str
    kind: str = "barriers"

    def origins(self, count: int) -> list[int]:
        """In their new order, with new waits."""
        return list(self.origin)

    def applied(self, program: Program) -> Program:
        """The program with it."""
        program = with_barriers(program, self.last, self.more)
        return scheduled_program(program, self.schedule.on(program))


def with_barriers(program: Program, last: int, more: int) -> Program:
    """The program with ``more`` barriers behind an instruction."""
    pieces = list(enumerate(program.instructions))
    pieces[last + 1 : last + 1] = [(-1, Instruction("s_barrier"))] * more
    return with_pieces(program, pieces)


def shifts(loop: Loop, code: Sequence[CodeEntry], addresses: Addresses) -> Iterator[tuple[int, ...]]:
    """By how many barriers each part of the LDS (:meth:`Addresses.parts`) may come later: one part by one, or
    each part by one more than the part before it. None for loops of several blocks, or of one part.

    What orders accesses of different waves to the same bytes is that so many barriers lie between them. That
    stays so if all of them come later alike. The loop's phases then mix: some bytes are read while others
    are written. With a barrier more than there must be, accesses need not be complete at each of them.
    """
    barriers = sum(code[index].kind is Kind.BARRIER for index in loop.operations)
    parts = len(addresses.parts(loop, code)) if loop.straight else 0
    if barriers >= 2 and 2 <= parts <= MOST_PARTS:
        for part in range(parts):
            yield tuple(int(each == part) for each in range(parts))
        yield tuple(range(parts))
        yield tuple(reversed(range(parts)))


def barriers_wanted(
    loop: Loop, code: Sequence[CodeEntry], parts: Sequence[frozenset[int]], shift: Sequence[int]
) -> int:
    """Barriers that a loop needs beyond those that it has."""
    barriers = [n for n, index in enumerate(loop.operations) if code[index].kind is Kind.BARRIER]
    phases = _phases(loop, barriers, parts, shift)
    return max(0, max(phases.values()) - len(barriers))


def _phases(
    loop: Loop, barriers: Sequence[int], parts: Sequence[frozenset[int]], shift: Sequence[int]
) -> dict[int, int]:
    of = {index: later for part, later in zip(parts, shift, strict=True) for index in part}
    return {
        n: sum(each < n for each in barriers) + of[index]
        for n, index in enumerate(loop.operations)
        if index in of
    }


def shifted(
    scheduler: Scheduler,
    code: Sequence[CodeEntry],
    addresses: Addresses,
    shift: Sequence[int],
    more: int,
    count: int,
) -> Shifted | None:
    """The accesses of each part so many barriers later.

    Args:
        scheduler: of the loop, ``more`` barriers in it already, behind its last one.
        code: of its program.
        addresses: of its accesses.
        shift: of each part.
        more: barriers put in.
        count: instructions of the kernel without them.
    """
    loop, program = scheduler.loop, scheduler.program
    barriers = [n for n, index in enumerate(loop.operations) if code[index].kind is Kind.BARRIER]
    parts = addresses.parts(loop, code)
    usual = barriers[: len(barriers) - more]
    phase = _phases(loop, usual, parts, shift)
    order = scheduler.order.with_phases(barriers, phase)
    key = {n: (phase[n] if n in phase else sum(each < n for each in usual), n) for n in range(len(order))}
    key |= {barrier: (number, len(order) + number) for number, barrier in enumerate(barriers)}
    found = order.nearest(sorted(range(len(order)), key=key.__getitem__))
    if found is None:
        return None
    schedule = scheduler.schedule(found)
    last = loop.operations[usual[-1]]
    old = [*range(last + 1), *[-1] * more, *range(last + 1, count)]
    origin = laid_out(program, block_starts(program, code), schedule).origins
    return Shifted(
        schedule,
        tuple(old[n] if n >= 0 else -1 for n in origin.tolist()),
        last,
        more,
        f"parts of the LDS come {', '.join(map(str, shift))} barriers later"
        + (f", of {len(barriers)} in place of {len(usual)}" if more else ""),
    )


MOST_PARTS = 4
"""Parts of the LDS beyond which none is looked at alone."""
