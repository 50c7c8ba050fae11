"""Imports every family of semantics, so that each registers its opcodes."""

from __future__ import annotations

from functools import cache


@cache
def load() -> None:
    """Import the families (they register on import)."""
    from wavesim.emulate import (  # noqa: F401
        control,
        convert_scaled,
        division,
        gpr_index,
        lds,
        lds_atomics,
        lds_exchange,
        lds_special,
        mfma,
        mode_register,
        packed,
        salu,
        smem,
        smfmac,
        valu_float,
        valu_int,
        valu_mask,
        valu_rare,
        vmem,
        vmem_format,
        vmem_scratch,
    )
