"""LDS instructions. Importing the package registers the opcodes."""

from __future__ import annotations

from wavesim.emulate.semantics.lds import access, atomics, exchange, special

__all__ = ["access", "atomics", "exchange", "special"]
