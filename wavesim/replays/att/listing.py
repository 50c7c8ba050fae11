"""A trace's code listing (code.json) becomes a Program with the real addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wavesim.asm.layout import lay_out
from wavesim.asm.text.parse import parse_instruction
from wavesim.errors import SourceSpan, UserError
from wavesim.program import Immediate, Instruction, KernelMetadata, Program, Symbol
from wavesim.replays.att.folder import CodeRow

_SOURCE = re.compile(r"(?P<file>.+?):(?P<line>\d+)")


@dataclass(frozen=True)
class Listing:
    """A program and where its rows went.

    ``index`` has one entry per row of code.json: the instruction's index in the program, -1 for
    comments and for rows that were left out.
    """

    program: Program
    index: npt.NDArray[np.int32]
    notes: tuple[str, ...] = ()


def _source_span(text: str) -> SourceSpan | None:
    match = _SOURCE.fullmatch(text.split(" ->")[0].strip())
    return SourceSpan(match["file"], int(match["line"])) if match else None


def _sizes(rows: Sequence[CodeRow], laid_out: Sequence[int]) -> tuple[int, ...]:
    """Encoded bytes: the distance to the next instruction where that can be one, else as encoded."""
    sizes = []
    for number, row in enumerate(rows):
        size = laid_out[number]
        if number + 1 < len(rows) and rows[number + 1].code_object == row.code_object:
            distance = rows[number + 1].address - row.address
            size = distance if distance in (4, 8, 12, 16, 20) else size
        sizes.append(size)
    return tuple(sizes)


def _name_targets(
    instructions: list[Instruction], rows: Sequence[CodeRow]
) -> tuple[list[Instruction], dict[str, int]]:
    """Branch offsets become labels; an offset that leads nowhere in the listing stays a number."""
    places = {(row.code_object, row.address): place for place, row in enumerate(rows)}
    labels: dict[str, int] = {}
    named = []
    for instruction, row in zip(instructions, rows, strict=True):
        operand = instruction.operands[0] if instruction.operands else None
        if instruction.opcode.startswith(("s_branch", "s_cbranch")) and isinstance(operand, Immediate):
            words = (int(operand.value) + 0x8000) % 0x10000 - 0x8000
            target = places.get((row.code_object, row.address + 4 + 4 * words))
            if target is not None:
                label = f"L_{rows[target].address:x}"
                if rows[target].code_object != rows[0].code_object:
                    label += f"_{rows[target].code_object}"
                labels[label] = target
                instruction = replace(instruction, operands=(Symbol(label), *instruction.operands[1:]))
        named.append(instruction)
    return named, labels


def read_listing(
    path: Path, rows: Sequence[CodeRow], executed: frozenset[int], arch: str, name: str
) -> Listing:
    """Parses the listing. The span of an instruction is (code.json, code id).

    Args:
        path: code.json, for messages.
        rows: its rows.
        executed: code ids that some wave executed; others may be left out if nobody can read them.
        arch: architecture whose instructions they are.
        name: the kernel's name.

    Raises:
        UserError: an executed row is not an instruction of ``arch``.
    """
    index = np.full(len(rows), -1, np.int32)
    kept: list[CodeRow] = []
    instructions: list[Instruction] = []
    skipped = 0
    for code_id, row in enumerate(rows):
        span = SourceSpan(str(path), code_id)
        if not row.is_instruction:
            if code_id in executed:
                raise UserError(f"code id {code_id} was executed but is not an instruction", span)
            continue
        try:
            instruction = parse_instruction(row.text.split("//")[0].strip(), arch, span)
        except UserError:
            if code_id in executed:
                raise
            skipped += 1
            continue
        index[code_id] = len(kept)
        kept.append(row)
        instructions.append(replace(instruction, span=span, source=_source_span(row.source)))
    _, laid_out = lay_out(instructions, arch)
    named, labels = _name_targets(instructions, kept)
    program = Program(
        name=name,
        arch=arch,
        instructions=tuple(named),
        labels=labels,
        metadata=KernelMetadata(),
        addresses=tuple(row.address for row in kept),
        sizes=_sizes(kept, laid_out),
        file=str(path),
    )
    notes = (f"{skipped} instructions of the listing that were not executed are unknown and left out",)
    return Listing(program, index, notes if skipped else ())


def kernel_name(rows: Sequence[CodeRow], first_executed: int) -> str:
    """The comment above the first executed instruction names the kernel."""
    for row in reversed(rows[: first_executed + 1]):
        if row.text.startswith(";"):
            return row.text.lstrip("; ").strip() or "kernel"
    return "kernel"
