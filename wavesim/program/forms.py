"""Which operand is which: the operand specs of one written instruction, where its form changes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


_SDWA_PARTS: Mapping[str | int | bool, tuple[int, int]] = {
    **{f"BYTE_{place}": (place, 1) for place in range(4)},
    **{f"WORD_{place}": (2 * place, 2) for place in range(2)},
    **{place: (place, 1) for place in range(4)},
    **{4 + place: (2 * place, 2) for place in range(2)},
}
"""dst_sel, by name and by number -> first byte and bytes."""

_TO_ONE_BYTE = re.compile(r"v_cvt_(scalef32_)?(sr_(fp8|bf8)|(sr_)?pk_fp4)_")
"""Conversions whose result is one byte, which OPSEL[3:2] place; others place a half by OPSEL[3]."""


def written_part(info: OpcodeInfo, instruction: Instruction) -> tuple[int, int] | None:
    """First byte and number of bytes of the dword that SDWA or OPSEL select as a vector instruction's
    destination; ``None`` where nothing is selected and the whole register is written."""
    selected = instruction.modifier("dst_sel")
    if selected is not None:
        return _SDWA_PARTS.get(selected) if not isinstance(selected, tuple) else None
    if info.format not in ("VOP1", "VOP2", "VOP3"):
        return None  # OPSEL of packed instructions is about sources
    given = instruction.modifier("op_sel")
    select = given if isinstance(given, tuple) else ()
    if _TO_ONE_BYTE.match(info.name):
        low, high = (*select, 0, 0, 0, 0)[2:4]
        return low + 2 * high, 1
    if select and len(select) == len(info.operands) and select[-1]:
        return 2, 2
    return None


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
