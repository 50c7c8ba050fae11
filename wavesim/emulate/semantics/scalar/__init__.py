"""Scalar ALU, scalar memory, control flow, GPR indexing. Importing the package registers the opcodes."""

from __future__ import annotations

from wavesim.emulate.semantics.scalar import control, gpr_index, mode_register, salu, smem

__all__ = ["control", "gpr_index", "mode_register", "salu", "smem"]
