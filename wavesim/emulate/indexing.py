"""Where GPR indexing is on, read from the code in its order, and which operands it moves."""

from __future__ import annotations

from wavesim.isa.opcodes import opcode_table
from wavesim.program import Call, Immediate, Operand, Program

SRC0, SRC1, SRC2, DST = 1, 2, 4, 8
_BITS = {"SRC0": SRC0, "SRC1": SRC1, "SRC2": SRC2, "DST": DST}
_FORMATS = frozenset(("VOP1", "VOP2", "VOP3", "VOP3P", "VOPC"))


def enabled_bits(operand: Operand) -> int:
    """The operands that ``gpr_idx(SRC0,DST)``, or its number, names."""
    if isinstance(operand, Immediate):
        return int(operand.value) & 15
    if isinstance(operand, Call):
        names = operand.text.partition("(")[2].rstrip(")").split(",")
        return sum(_BITS[name.strip()] for name in names if name.strip() in _BITS)
    return 0


def indexed_instructions(program: Program) -> dict[int, int]:
    """Vector ALU instructions within the mode: index -> enabled operand bits."""
    found: dict[int, int] = {}
    bits = 0
    table = opcode_table()
    for place, instruction in enumerate(program.instructions):
        if instruction.opcode in ("s_set_gpr_idx_on", "s_set_gpr_idx_mode"):
            bits = enabled_bits(instruction.operands[-1])
        elif instruction.opcode == "s_set_gpr_idx_off":
            bits = 0
        elif bits:
            info = table.get(instruction.opcode)
            if info is not None and info.format in _FORMATS:
                found[place] = bits
    return found
