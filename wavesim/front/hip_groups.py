"""A schedule as clang is told of it: groups of so many instructions of a kind, one behind the other.

``__builtin_amdgcn_sched_group_barrier(mask, size, id)`` asks clang's scheduler for a group of ``size``
instructions of the kinds in ``mask`` at this place of a sequence. The builtins of one basic block with one
``id`` make the sequence. They apply to the instructions before them, so that they stand at the end of a
loop's body (LLVM's user guide for AMDGPU, "llvm.amdgcn.sched.group.barrier").
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from wavesim.asm.printer import print_instruction
from wavesim.isa.kinds import Kind
from wavesim.trace import CodeEntry

BUILTIN = "__builtin_amdgcn_sched_group_barrier"
MASKS = {
    Kind.MFMA: 0x8,
    Kind.LDS_READ: 0x100,
    Kind.LDS_WRITE: 0x200,
    Kind.VMEM_LOAD: 0x20,
    Kind.VMEM_STORE: 0x40,
}
"""The kinds that sequences speak of, with their bits; VALU and scalar instructions go where they must."""

SAID = {
    Kind.MFMA: "MFMA",
    Kind.LDS_READ: "LDS read",
    Kind.LDS_WRITE: "LDS write",
    Kind.VMEM_LOAD: "global load",
    Kind.VMEM_STORE: "global store",
}
MOST_GROUPS = 64
"""Longer sequences take clang's solver long, and nobody reads them."""

_READS = (1, 2, 4, 8)
_DENSITIES = (1.0, 2.0, 0.5)
_LEADS = (0.0, 0.125, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Group:
    """``size`` instructions of a kind."""

    kind: Kind
    size: int

    @property
    def builtin(self) -> str:
        """As a statement of HIP."""
        return f"{BUILTIN}({MASKS[self.kind]:#x}, {self.size}, 0);"

    def __str__(self) -> str:
        return f"{self.size} {SAID[self.kind]}{'s' * (self.size > 1 and self.kind is not Kind.MFMA)}"


Groups = tuple[Group, ...]


def groups_of(kinds: Iterable[Kind]) -> Groups:
    """What a schedule is as groups."""
    spoken_of = (kind for kind in kinds if kind in MASKS)
    return tuple(Group(kind, len(list(some))) for kind, some in groupby(spoken_of))


def merged(sequence: Iterable[Group]) -> Groups:
    """Without empty groups, and with neighbours of one kind made one."""
    result: list[Group] = []
    for each in sequence:
        if each.size < 1:
            continue
        if result and result[-1].kind is each.kind:
            result[-1] = Group(each.kind, result[-1].size + each.size)
        else:
            result.append(each)
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Shape:
    """A regular sequence: ``lead`` MFMAs, then ``reads`` at a time with MFMAs spread among them, ``density``
    times as dense as evenly. The kinds in ``others`` come before the reads, or at the end."""

    others: tuple[Kind, ...]
    at_end: bool
    reads: int
    density: float
    lead: float


def arrangements(kinds: Sequence[Kind]) -> list[Shape]:
    """Shapes that differ in where the kinds other than MFMA and reads of LDS are.

    Args:
        kinds: of the loop's instructions, in the order in which they stand.
    """
    spread = Kind.MFMA, _moving(kinds)
    present = [kind for kind in dict.fromkeys(kinds) if kind in MASKS and kind not in spread]
    loads_last = tuple(sorted(present, key=lambda kind: kind is Kind.VMEM_LOAD))
    orders = dict.fromkeys((loads_last, tuple(reversed(loads_last)), ()))
    return [
        Shape(others, at_end, reads, 1.0, lead)
        for others in orders
        for at_end in ((False, True) if others else (False,))
        for reads in (4, 1)
        for lead in (0.0, 0.25)
    ]


def alike(shape: Shape) -> list[Shape]:
    """Shapes of the same arrangement."""
    return [
        replace(shape, reads=reads, density=density, lead=lead)
        for reads in _READS
        for density in _DENSITIES
        for lead in _LEADS
    ]


def shaped(kinds: Sequence[Kind], shape: Shape) -> Groups:
    """The sequence of that shape for a loop of these kinds; empty where it has no MFMA or nothing else."""
    counts = Counter(kinds)
    moving, matrix = _moving(kinds), counts[Kind.MFMA]
    if not matrix or not counts[moving]:
        return ()
    lead = int(matrix * shape.lead)
    other = [Group(kind, counts[kind]) for kind in shape.others]
    spread = list(_spread(moving, counts[moving], matrix - lead, shape.reads, shape.density))
    parts = [*spread, *other] if shape.at_end else [*other, *spread]
    return merged([Group(Kind.MFMA, lead), *parts])


def _moving(kinds: Sequence[Kind]) -> Kind:
    return Kind.LDS_READ if Kind.LDS_READ in kinds else Kind.VMEM_LOAD


def _spread(moving: Kind, count: int, matrix: int, together: int, density: float) -> Iterator[Group]:
    """``count`` instructions of a kind, so many ``together``, with MFMAs behind each group."""
    steps = -(-count // together)
    each = max(1, round(matrix / steps / density)) if steps else matrix
    for step in range(steps):
        yield Group(moving, min(together, count - step * together))
        some = min(each, matrix)
        yield Group(Kind.MFMA, some)
        matrix -= some
    yield Group(Kind.MFMA, matrix)


def changed_a_little(sequence: Groups, generator: random.Random) -> Groups:
    """A sequence nearby: some of a group moved to another of its kind, a group split, or two swapped."""
    groups = list(sequence)
    place = generator.randrange(len(groups))
    group = groups[place]
    what = generator.random()
    if what < 0.5:
        others = [n for n, each in enumerate(groups) if each.kind is group.kind and n != place]
        if others:
            to = generator.choice(others)
            some = generator.choice((1, 1, 2, 4, group.size))
            some = min(some, group.size)
            groups[place] = Group(group.kind, group.size - some)
            groups[to] = Group(group.kind, groups[to].size + some)
    elif what < 0.75:
        some = generator.randint(1, group.size)
        groups[place] = Group(group.kind, group.size - some)
        groups.insert(generator.randint(0, len(groups)), Group(group.kind, some))
    else:
        to = min(len(groups) - 1, place + 1)
        groups[place], groups[to] = groups[to], groups[place]
    return merged(groups)


def statements(sequence: Groups) -> list[str]:
    """The builtins, one a line, with what each says."""
    width = max((len(each.builtin) for each in sequence), default=0)
    return [f"{each.builtin:<{width}}  // {each}" for each in sequence]


def placed_reads(entries: Sequence[CodeEntry]) -> Iterator[str]:
    """Where a schedule has its accesses to memory, counted in MFMAs: for who writes the loop by hand.

    Args:
        entries: the loop's instructions in their new order.
    """
    matrix = 0
    for is_matrix, some in groupby(
        (each for each in entries if each.kind in MASKS), lambda each: each.kind is Kind.MFMA
    ):
        here = list(some)
        if is_matrix:
            matrix += len(here)
            continue
        first = f"behind MFMA {matrix}" if matrix else "before the first MFMA"
        yield f"{first}: {'; '.join(_places(here))}"


def _places(entries: Sequence[CodeEntry]) -> Iterator[str]:
    """Neighbours of one place as one."""
    for (opcode, place), some in groupby(entries, lambda each: (each.instruction.opcode, _place(each))):
        here = list(some)
        if len(here) == 1:
            yield f"{print_instruction(here[0].instruction)}{place}"
        else:
            yield f"{len(here)} x {opcode}{place}"


def _place(entry: CodeEntry) -> str:
    span = entry.instruction.source or entry.instruction.span
    return f" (line {span.line})" if span is not None and span.line else ""
