"""Which operand is which: the operand specs of one written instruction, where its form changes them."""

from __future__ import annotations

from dataclasses import replace

from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec
from wavesim.isa.unknown import specs_as_written
from wavesim.program.program import Instruction

_SPLIT_FORMATS = ("FLAT", "GLOBAL", "SCRATCH")
_BUFFER_FORMATS = ("MUBUF", "MTBUF")
_INDEX_AND_OFFSET = OperandSpec("src", "v", 2)
"""The address registers of a buffer instruction with both ``idxen`` and ``offen``."""


def _two_addresses(instruction: Instruction) -> bool:
    return bool(instruction.modifier("idxen") and instruction.modifier("offen"))


def returns_old_value(info: OpcodeInfo, instruction: Instruction) -> bool:
    """Whether a memory atomic gives the old value back (``glc`` on gfx90a, ``sc0`` since gfx942)."""
    return "atomic" in info.flags and bool(instruction.modifier("sc0") or instruction.modifier("glc"))


def loads_to_lds(info: OpcodeInfo, instruction: Instruction) -> bool:
    """Whether a load writes LDS (at M0) instead of registers."""
    return "to_lds" in info.flags or ("lds_form" in info.flags and bool(instruction.modifier("lds")))


def operand_specs(info: OpcodeInfo, instruction: Instruction) -> tuple[OperandSpec, ...]:
    """The specs of ``instruction``'s operands, in their written order.

    Differs from ``info.operands`` for atomics that return, loads to LDS and optional last operands.
    """
    specs = info.operands
    if instruction.modifiers and info.format in _BUFFER_FORMATS and _two_addresses(instruction):
        specs = tuple(_INDEX_AND_OFFSET if "o" in spec.kinds else spec for spec in specs)
    flags = info.flags
    if not flags:
        return specs
    if "unknown" in flags:
        return specs_as_written(info, len(instruction.operands))
    if "atomic" in flags and returns_old_value(info, instruction):
        if info.format in _SPLIT_FORMATS:
            data = specs[1]
            dwords = data.dwords // 2 if "cmpswap" in info.name else data.dwords
            return (replace(data, role="dst", dwords=dwords), *specs)
        return (replace(specs[0], role="both"), *specs[1:])
    if "lds_form" in flags and instruction.modifier("lds"):
        return specs[1:]
    if "optional_last" in flags and len(instruction.operands) == len(specs) - 1:
        return specs[:-1]
    return specs
