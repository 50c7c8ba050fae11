"""Vector ALU. Importing the package registers the opcodes."""

from __future__ import annotations

from wavesim.emulate.semantics.vector import (
    conversions,
    convert_scaled,
    division,
    floats,
    integers,
    masks,
    packed,
    rare,
    valu,
)

__all__ = [
    "conversions",
    "convert_scaled",
    "division",
    "floats",
    "integers",
    "masks",
    "packed",
    "rare",
    "valu",
]
