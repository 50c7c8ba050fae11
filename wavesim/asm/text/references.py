"""Addresses that linked code takes relative to the program counter, back to the symbols they were.

``s_getpc_b64 s[4:5]``, ``s_add_u32 s4, s4, LOW``, ``s_addc_u32 s5, s5, HIGH`` is how code finds functions and
constants. With names in place of the numbers the code can be laid out anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wavesim.program import Immediate, Instruction, Register, Symbol

_WITHIN = 32
"""Instructions between s_getpc_b64 and the additions to its result."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Instructions ``low`` and ``high`` (indices) add the way from ``base`` to ``target`` (addresses)."""

    low: int
    high: int
    base: int
    target: int


def find_references(
    instructions: Sequence[Instruction], addresses: Sequence[int], sizes: Sequence[int]
) -> list[Reference]:
    """The addresses taken; ``addresses`` are those of the linked file."""
    found = []
    for index, instruction in enumerate(instructions):
        if instruction.opcode != "s_getpc_b64" or not isinstance(instruction.operands[0], Register):
            continue
        register = instruction.operands[0].index
        low = _addition(instructions, index + 1, "s_add_u32", register)
        high = _addition(instructions, low + 1, "s_addc_u32", register + 1) if low is not None else None
        if low is None or high is None or sizes[low] != 8 or sizes[high] != 8:
            continue
        base = addresses[index] + sizes[index]
        way = _constant(instructions[low]) | _constant(instructions[high]) << 32
        found.append(Reference(low, high, base, base + (way ^ 1 << 63) - (1 << 63)))
    return found


def _addition(instructions: Sequence[Instruction], start: int, opcode: str, register: int) -> int | None:
    """The next addition of a number to an SGPR."""
    for index in range(start, min(start + _WITHIN, len(instructions))):
        instruction = instructions[index]
        if instruction.opcode != opcode:
            continue
        destination, source, number = instruction.operands
        if destination == source == Register("s", register):
            return index if isinstance(number, Immediate) and isinstance(number.value, int) else None
    return None


def _constant(instruction: Instruction) -> int:
    number = instruction.operands[2]
    assert isinstance(number, Immediate)
    return int(number.value) & 0xFFFFFFFF


def with_symbol(
    instructions: list[Instruction], addresses: Sequence[int], reference: Reference, name: str
) -> None:
    """Puts ``name`` in the place of the numbers of ``reference``: ``name@rel32@lo+4``."""
    for index, half in ((reference.low, "lo"), (reference.high, "hi")):
        instruction = instructions[index]
        addend = addresses[index] + 4 - reference.base  # a literal stands behind the instruction's dword
        symbol = Symbol(name, f"@rel32@{half}+{addend}")
        instructions[index] = replace(instruction, operands=(*instruction.operands[:2], symbol))
