"""Edits: a program with instructions put in, taken out, changed or moved, and the streams it would execute.

Edits stay inside basic blocks and change neither addresses nor conditions, so the executed streams follow
from those of the program as it is: each block's instances are laid out anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from wavesim.asm.layout import lay_out
from wavesim.program import Instruction, Program
from wavesim.trace import PUT_IN, CodeEntry, Trace, WaveTrace
from wavesim.trace.decode import code_entry
from wavesim.trace.relaid import block_starts

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Edit:
    """Changes of a program, by static instruction of the program as it is.

    Attributes:
        changed: index -> the instruction in its place.
        removed: indices left out.
        before: index -> instructions put in before it (behind a label that stands there).
        order: index -> index that it is moved behind, or before with ``~index``.
    """

    changed: Mapping[int, Instruction] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()
    before: Mapping[int, Sequence[Instruction]] = field(default_factory=dict)
    order: Mapping[int, int] = field(default_factory=dict)


Piece = tuple[int, Instruction]
"""(index in the program as it is, or PUT_IN; instruction)."""


def _pieces(program: Program, edit: Edit, first: int, last: int) -> list[Piece]:
    """A block's instructions after the edit.

    Raises:
        ValueError: something is moved out of its block.
    """
    behind: dict[int, list[int]] = {}
    ahead: dict[int, list[int]] = {}
    for index, place in edit.order.items():
        if first <= index < last:
            target = place if place >= 0 else ~place
            if not first <= target < last or target in edit.order:
                raise ValueError("an edit moves an instruction out of its block")
            (behind if place >= 0 else ahead).setdefault(target, []).append(index)

    def one(index: int) -> Iterable[Piece]:
        if index not in edit.removed:
            yield index, edit.changed.get(index, program.instructions[index])

    pieces: list[Piece] = []
    for index in range(first, last):
        pieces += [(PUT_IN, instruction) for instruction in edit.before.get(index, ())]
        for moved in sorted(ahead.get(index, ())):
            pieces += one(moved)
        if index not in edit.order:
            pieces += one(index)
        for moved in sorted(behind.get(index, ())):
            pieces += one(moved)
    return pieces


def edited_program(program: Program, code: Sequence[CodeEntry], edit: Edit) -> tuple[Program, Layout]:
    """The program after the edit, laid out anew, and where its blocks' instructions come from.

    Raises:
        ValueError: the edit moves something out of its basic block.
        UnknownInstruction: an instruction put in has no data.
    """
    starts = block_starts(program, code)
    instructions: list[Instruction] = []
    origins: list[list[int]] = []
    new_start: list[int] = []
    for first, last in zip(starts, [*starts[1:], len(program)], strict=True):
        pieces = _pieces(program, edit, first, last)
        new_start.append(len(instructions))
        origins.append([origin for origin, _ in pieces])
        instructions += [instruction for _, instruction in pieces]
    place_of = dict(zip(starts, new_start, strict=True))
    place_of[len(program)] = len(instructions)
    addresses, sizes = lay_out(instructions, program.arch, program.addresses[0] if program.addresses else 0)
    changed = replace(
        program,
        instructions=tuple(instructions),
        labels={name: place_of[place] for name, place in program.labels.items()},
        addresses=addresses,
        sizes=sizes,
    )
    return changed, Layout(starts, new_start, [np.array(each, np.int64) for each in origins])


def edited(trace: Trace, edit: Edit) -> Trace:
    """The streams as the edited program would execute them; ``trace.program`` is the edited program.

    Raises:
        ValueError, UnknownInstruction: as :func:`edited_program`.
    """
    program, layout = edited_program(trace.program, trace.code, edit)
    waves = tuple(_stream(wave, layout, len(trace.program)) for wave in trace.waves)
    return replace(trace, program=program, code=_decoded(trace, program, layout), waves=waves)


@dataclass(frozen=True)
class Layout:
    """Per block: where it began, where it begins, and the origins of its instructions."""

    starts: list[int]
    new_starts: list[int]
    origins: list[Int64]


def _decoded(trace: Trace, program: Program, layout: Layout) -> tuple[CodeEntry, ...]:
    """What timing needs of the edited program; only what is new is decoded anew."""
    entries = []
    sources = np.concatenate(layout.origins).tolist()
    for source, instruction, address, size in zip(
        sources, program.instructions, program.addresses, program.sizes, strict=True
    ):
        known = trace.code[source] if source != PUT_IN else None
        if known is None or known.instruction is not instruction:
            known = code_entry(instruction, program.arch, address, size)
        elif (known.address, known.size_bytes) != (address, size):
            known = replace(known, address=address, size_bytes=size)
        entries.append(known)
    return tuple(entries)


def _stream(wave: WaveTrace, layout: Layout, count: int) -> WaveTrace:
    code = wave.code.astype(np.int64)
    block_at = np.full(count, -1)
    block_at[layout.starts] = np.arange(len(layout.starts))
    rows = np.flatnonzero(block_at[code] >= 0)
    blocks = block_at[code[rows]]
    sizes = np.array([len(each) for each in layout.origins])
    origins = np.concatenate(layout.origins)
    made = sizes[blocks]  # instructions of each block executed, one behind the other
    inside = np.arange(made.sum()) - np.repeat(np.cumsum(made) - made, made)
    origin = origins[np.repeat((np.cumsum(sizes) - sizes)[blocks], made) + inside]
    behind = origin - np.repeat(code[rows], made)
    put_in = origin == PUT_IN
    there = put_in | (behind < np.repeat(np.diff(rows, append=len(code)), made))  # it can stop inside a block
    source = np.where(put_in, PUT_IN, behind + np.repeat(rows, made))
    new = np.repeat(np.array(layout.new_starts)[blocks], made) + inside
    return replace(wave.gathered(source[there], new[there]), spins=())
