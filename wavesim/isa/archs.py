"""The architectures: what differs between them in code, once; their numbers stand in ``isa/NAME.yaml``.

A device (``isa/devices/MI325X.yaml``) is a machine file on top of an architecture's: the same instructions
and compute unit, with its own count of compute units, clocks and memory.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """What code asks of an architecture.

    ``elf_machine`` is EF_AMDGPU_MACH, the low byte of e_flags (LLVM's AMDGPU usage manual, table "ELF
    header"); ``llvm_version`` the first release of LLVM that knows it. ``lds_address_bits`` of M0 count in a
    load to LDS. ``fnuz``: its 8-bit floats have no infinities and one NaN. ``scratch_buffer``: scratch memory
    is reached through a buffer resource, not by an architected flat address. ``mfma_flushes``: MFMA of f16
    and bf16 flush denormals. ``moves_pairs``: it has v_mov_b64. ``device``: whose figures its machine file
    has; it stands for the architecture where none is named.
    """

    name: str
    family: str
    elf_machine: int
    llvm_version: int
    device: str
    lds_address_bits: int = 16
    fnuz: bool = False
    scratch_buffer: bool = False
    mfma_flushes: bool = False
    moves_pairs: bool = True


ARCHITECTURES = {
    each.name: each
    for each in (
        Architecture(
            "gfx90a", "CDNA2", 0x3F, 19, "MI210", scratch_buffer=True, mfma_flushes=True, moves_pairs=False
        ),
        Architecture("gfx942", "CDNA3", 0x4C, 19, "MI300X", fnuz=True),
        Architecture("gfx950", "CDNA4", 0x4F, 20, "MI355X", lds_address_bits=18),
    )
}
"""By name, the oldest first."""

ARCHS = tuple(ARCHITECTURES)
DEFAULT_ARCH = "gfx942"
"""Where neither the kernel nor the caller says one."""
