"""Operands that the assembler lets one leave out, and forms it takes for others, written in full.

``v_cmpx_lt_f32 v0, v1`` means vcc, ``s_load_dword s0, s[2:3]`` offset 0, ``dfmt:15, nfmt:2`` format:47,
``neg(0x42)`` in a 4-byte instruction the constant with its sign bit changed.
"""

from __future__ import annotations

import struct

from wavesim.asm.layout import fits_e32
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.program import Immediate, Instruction, Modified, Operand, Special
from wavesim.program.program import ModifierValue

Modifiers = tuple[tuple[str, ModifierValue], ...]
_VCC = Special("vcc")
_ZERO = Immediate(0, "0")
_SIGN_BITS = {**dict.fromkeys(("f16", "bf16", "f16x2", "bf16x2"), 1 << 15), "f32": 1 << 31}
_FIRST_DATA_FORMAT = 1
"""The data format of a typed buffer instruction that names only a number format."""


def in_full(
    info: OpcodeInfo, encoding: str, operands: tuple[Operand, ...], modifiers: Modifiers
) -> tuple[tuple[Operand, ...], Modifiers]:
    """Operands and modifiers as the disassembler would have them."""
    layout = info.format
    if layout in ("VOP1", "VOP2", "VOPC") and encoding in ("", "e32"):
        if len(operands) == len(info.operands) - 1:
            operands = _with_vcc(info, operands, modifiers)
        if any(isinstance(each, Modified) and isinstance(each.operand, Immediate) for each in operands):
            operands = _with_signs(info, operands, modifiers)
    elif layout == "SMEM":
        if len(operands) == len(info.operands) - 1 and info.operands[-1].kinds == "si":
            operands = (*operands, _ZERO)
    elif layout == "MTBUF":
        modifiers = _with_format(modifiers)
    return operands, modifiers


def _with_vcc(info: OpcodeInfo, operands: tuple[Operand, ...], modifiers: Modifiers) -> tuple[Operand, ...]:
    """With vcc where it is the only operand missing and the 4-byte form can be meant."""
    places = [place for place, spec in enumerate(info.operands) if spec.kinds == "s" and spec.dwords == 2]
    if len(places) != 1 or modifiers:
        return operands
    completed = (*operands[: places[0]], _VCC, *operands[places[0] :])
    return completed if fits_e32(Instruction(info.name, completed), info) else operands


def _with_signs(info: OpcodeInfo, operands: tuple[Operand, ...], modifiers: Modifiers) -> tuple[Operand, ...]:
    """With ``neg()`` and ``abs()`` of a constant carried out, where that gives a 4-byte form."""
    changed = tuple(
        _signed(operand, spec.type) if isinstance(operand, Modified) else operand
        for operand, spec in zip(operands, info.operands, strict=False)
    )
    return changed if fits_e32(Instruction(info.name, changed, modifiers), info) else operands


def _signed(operand: Modified, of_type: str) -> Operand:
    """The constant that a modified one is; itself where it has to stay (a 64-bit integer)."""
    constant = operand.operand
    if not isinstance(constant, Immediate) or operand.sext:
        return operand
    value = constant.value
    if isinstance(value, float):
        bits = struct.unpack("<Q", struct.pack("<d", value))[0]
        sign = 1 << 63
    elif of_type in _SIGN_BITS:
        sign = _SIGN_BITS[of_type]
        bits = value & (2 * sign - 1)
    else:
        return operand
    if operand.absolute:
        bits &= ~sign
    if operand.negate:
        bits ^= sign
    if isinstance(value, float):
        return Immediate(struct.unpack("<d", struct.pack("<Q", bits))[0])
    return Immediate(bits, f"{bits:#x}")


def _with_format(modifiers: Modifiers) -> Modifiers:
    """One ``format:`` in place of ``dfmt:`` and ``nfmt:``."""
    found = dict(modifiers)
    data, number = found.get("dfmt", _FIRST_DATA_FORMAT), found.get("nfmt", 0)
    if not ({"dfmt", "nfmt"} & found.keys()) or not (isinstance(data, int) and isinstance(number, int)):
        return modifiers
    rest = tuple(each for each in modifiers if each[0] not in ("dfmt", "nfmt"))
    return (("format", data | number << 4), *rest)
