"""Encoded size of every instruction and the addresses that follow (gfx9 encodings)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from wavesim.asm.text.modifiers import SDWA, VOP3_ONLY
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.program import Immediate, Instruction, Modified, Operand, Register, Special, Symbol
from wavesim.program.dpp import DPP_WORDS
from wavesim.program.forms import operand_specs

_FIXED = {
    "SOPP": 4, "SMEM": 8, "DS": 8, "MUBUF": 8,
    "MTBUF": 8, "FLAT": 8, "GLOBAL": 8, "SCRATCH": 8, "VOP3": 8, "VOP3P": 8,
    "VOP3PX2": 16,
}  # fmt: skip
"""Bytes of the formats that have one size (gfx9 has no literals in VOP3)."""

_FLOATS = (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 4.0, -4.0)
_MASK_64 = (1 << 64) - 1
_INLINE_16 = frozenset(struct.unpack("<H", struct.pack("<e", value))[0] for value in _FLOATS) | {0x3118}
_INLINE_32 = frozenset(struct.unpack("<I", struct.pack("<f", value))[0] for value in _FLOATS) | {0x3E22F983}
_INLINE_BF16 = frozenset(pattern >> 16 for pattern in _INLINE_32)
_INLINE_64 = frozenset(struct.unpack("<Q", struct.pack("<d", value))[0] for value in _FLOATS) | {
    0x3FC45F306DC9C882
}
"""Bit patterns of the inline floating-point constants (the last is 1/(2 pi)); -0.0 is not one."""


def _pattern(value: float, form: str, as_integer: str) -> int:
    """Bits of ``value`` in a floating-point format of :mod:`struct`; -1 where it is too large for it."""
    try:
        return int(struct.unpack(as_integer, struct.pack(form, value))[0])
    except OverflowError:
        return -1


def is_inline(constant: Immediate, of_type: str = "b32") -> bool:
    """Whether a constant is encoded in the operand field itself, without a literal dword.

    ``of_type`` is the operand's type in the opcode table. As LLVM decides it: an integer from -16 to 64, or
    the bits of an inline floating-point constant of the type; for 16-bit integers no such bits.
    """
    if constant.text.startswith("lit"):
        return False
    value = constant.value
    if isinstance(value, int) and -16 <= value <= 64:
        return True
    if of_type.endswith("64"):
        if isinstance(value, float):  # a literal holds the high dword only
            pattern = _pattern(value, "<d", "<Q")
            return pattern in _INLINE_64 or not pattern >> 32
        pattern = value & _MASK_64
        return pattern in _INLINE_64 or pattern > _MASK_64 - 16
    if of_type in ("f16", "bf16", "f16x2", "bf16x2"):
        halves = _INLINE_BF16 if of_type.startswith("b") else _INLINE_16
        if isinstance(value, float):
            return _pattern(value, "<e", "<H") in _INLINE_16
        if of_type.endswith("x2"):
            return value in halves or value & 0xFFFFFFFF > 0xFFFFFFFF - 16
        return value & 0xFFFF in halves or value & 0xFFFF > 0xFFFF - 16
    if of_type in ("i16", "u16", "b16"):
        return isinstance(value, float) and _pattern(value, "<e", "<H") in _INLINE_16
    pattern = value & 0xFFFFFFFF if isinstance(value, int) else _pattern(value, "<f", "<I")
    return pattern in _INLINE_32 or pattern > 0xFFFFFFFF - 16


def _is_vgpr(operand: Operand) -> bool:
    return isinstance(operand, Register) and operand.file == "v"


def _is_vcc(operand: Operand) -> bool:
    return isinstance(operand, Special) and operand.name == "vcc"


def fits_e32(instruction: Instruction, info: OpcodeInfo) -> bool:
    """Whether LLVM's assembler takes the 4-byte form of a VOP1, VOP2 or VOPC without suffix."""
    if any(name in VOP3_ONLY and value for name, value in instruction.modifiers):
        return False
    operands = instruction.operands
    if any(isinstance(operand, Modified) for operand in operands):
        return False
    sources = []
    for operand, spec in zip(operands, info.operands, strict=False):
        if spec.kinds == "s" and info.format != "VOP1":  # carry in and out, the result of a compare
            if not _is_vcc(operand):
                return False
        elif spec.role != "dst" and "i" in spec.kinds and "v" in spec.kinds:
            sources.append(operand)
    return len(sources) < 2 or _is_vgpr(sources[1])


def _has_literal(instruction: Instruction, info: OpcodeInfo) -> bool:
    for operand, spec in zip(instruction.operands, operand_specs(info, instruction), strict=False):
        if "i" not in spec.kinds:
            continue
        if isinstance(operand, Symbol):
            return True
        if isinstance(operand, Immediate) and not is_inline(operand, spec.type):
            return True
    return False


def size_of(instruction: Instruction, info: OpcodeInfo) -> int:
    """Encoded bytes of an instruction: 4, 8, 12 or 16."""
    fixed = _FIXED.get(info.format)
    if fixed is not None:
        return fixed
    if "literal" in info.flags:
        return 8
    if info.format == "SOPK":
        return 4
    if info.format in ("VOP1", "VOP2", "VOPC"):
        if instruction.encoding in ("e64", "dpp", "sdwa"):
            return 8
        if instruction.encoding != "e32":
            if any(name in DPP_WORDS or name in SDWA or name == "fi" for name, _ in instruction.modifiers):
                return 8
            if "e32_only" not in info.flags and not fits_e32(instruction, info):
                return 8
    return 8 if _has_literal(instruction, info) else 4


def lay_out(
    instructions: Sequence[Instruction], arch: str, start: int = 0
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Addresses (bytes from the kernel's start; of the first one ``start``) and encoded sizes (bytes).

    Raises:
        UnknownInstruction: an opcode that is not in the table.
    """
    addresses = []
    sizes = []
    address = start
    for instruction in instructions:
        size = size_of(instruction, lookup(instruction.opcode, arch, instruction.span))
        addresses.append(address)
        sizes.append(size)
        address += size
    return tuple(addresses), tuple(sizes)
