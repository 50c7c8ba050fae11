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
    return replace(trace, program=program, code=_entries(program, trace.code), waves=waves)


def _entries(program: Program, before: Sequence[CodeEntry]) -> tuple[CodeEntry, ...]:
    """The entries of an edited program. Those of instructions that stay are not made again, and where the
    address stays too they are the same ones."""
    known = {id(entry.instruction): entry for entry in before}

    def entry(instruction: Instruction, address: int, size_bytes: int) -> CodeEntry:
        found = known.get(id(instruction))
        if found is None:
            return code_entry(instruction, program.arch, address, size_bytes)
        same = found.address == address and found.size_bytes == size_bytes
        return found if same else replace(found, address=address, size_bytes=size_bytes)

    return tuple(map(entry, program.instructions, program.addresses, program.sizes))


@dataclass(frozen=True)
class Layout:
    """Per block: where it began, where it begins, and the origins of its instructions."""

    starts: list[int]
    new_starts: list[int]
    origins: list[Int64]


def _stream(wave: WaveTrace, layout: Layout, count: int) -> WaveTrace:
    code = wave.code.astype(np.int64)
    is_start = np.zeros(count, bool)
    is_start[layout.starts] = True
    rows = np.flatnonzero(is_start[code])
    block_of = {start: number for number, start in enumerate(layout.starts)}
    sources: list[Int64] = []
    codes: list[Int64] = []
    for row, end in zip(rows.tolist(), [*rows[1:].tolist(), len(code)], strict=True):
        start = int(code[row])
        number = block_of[start]
        origins = layout.origins[number]
        there = (origins == PUT_IN) | (origins - start < end - row)  # a stream can stop inside a block
        sources.append(np.where(origins == PUT_IN, PUT_IN, origins - start + row)[there])
        codes.append((np.arange(len(origins)) + layout.new_starts[number])[there])
    source = np.concatenate(sources) if sources else np.zeros(0, np.int64)
    code = np.concatenate(codes) if codes else source
    return replace(wave.gathered(source, code), spins=())
