"""The words of DPP (data-parallel primitives): the one list of them that every layer uses.

An instruction has a DPP control whether or not its mnemonic was written with ``_dpp``.
"""

from __future__ import annotations

from wavesim.program.program import Instruction

DPP_MIRRORS = ("row_mirror", "row_half_mirror")
"""Controls that stand alone; the others have a value behind a colon."""

DPP_CONTROLS = (
    *("quad_perm", "row_shl", "row_shr", "row_ror", "wave_shl", "wave_rol", "wave_shr", "wave_ror"),
    *("row_bcast", "row_newbcast", *DPP_MIRRORS),
)
"""Which lane each lane reads; an instruction has one of them (CDNA3 ISA, DPP_CTRL)."""

DPP_MASKS = ("row_mask", "bank_mask", "bound_ctrl")
"""Which lanes are written."""

DPP_WORDS = frozenset((*DPP_CONTROLS, *DPP_MASKS))


def is_dpp(instruction: Instruction) -> bool:
    """Whether the instruction takes a source from other lanes by DPP."""
    return instruction.encoding == "dpp" or any(name in DPP_WORDS for name, _ in instruction.modifiers)
