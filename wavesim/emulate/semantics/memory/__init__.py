"""Vector memory: global, flat, buffer, scratch. Importing the package registers the opcodes."""

from __future__ import annotations

from wavesim.emulate.semantics.memory import formats, scratch, vmem

__all__ = ["formats", "scratch", "vmem"]
