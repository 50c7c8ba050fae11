"""Matrix instructions, dense and sparse. Importing the package registers the opcodes."""

from __future__ import annotations

from wavesim.emulate.semantics.matrix import mfma, smfmac

__all__ = ["mfma", "smfmac"]
