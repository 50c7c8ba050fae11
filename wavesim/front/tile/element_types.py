"""Element types of tile programs: their bits, and byte offsets of columns."""

from __future__ import annotations

from collections.abc import Mapping

from wavesim.front.tile.affine import Value, divide, multiply

ELEMENT_BITS: Mapping[str, int] = {
    **{"bf16": 16, "f16": 16, "f32": 32, "i32": 32, "i8": 8},
    **{"fp8": 8, "bf8": 8, "fp6": 6, "bf6": 6, "fp4": 4},
}
"""Bits of an element; those of fewer than 8 lie side by side, the first in the lowest bits."""

F8F6F4 = ("fp8", "bf8", "fp6", "bf6", "fp4")
"""Types of the f8f6f4 matrix instructions, by the number that CBSZ (A) or BLGP (B) gives (CDNA4 ISA)."""

FRAGMENT_TYPES = ("bf16", "f16", *F8F6F4)
"""Types that matrix instructions with f32 results multiply here."""


def bytes_of(columns: Value, dtype: str) -> Value:
    """The byte offset of a column in a row.

    Raises:
        ValueProblem: it cannot be computed at run time.
    """
    bits = ELEMENT_BITS[dtype]
    if bits % 8 == 0:
        return multiply(columns, Value(bits // 8))
    return divide(multiply(columns, Value(bits)), Value(8))
