"""MFMA shapes by name: ``16x16x16``, ``widest`` (16 rows) and ``widest32``, per architecture."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.errors import SourceSpan, UnknownInstruction, UserError
from wavesim.isa.opcodes import lookup, opcode_table
from wavesim.kernel.node import Node

_CANDIDATES = {"widest": ((16, 32), (16, 16)), "widest32": ((32, 16), (32, 8))}


@dataclass(frozen=True, slots=True)
class MfmaShape:
    """An m x m x k matrix instruction on 16-bit elements with f32 results."""

    m: int
    k: int

    @property
    def operand_registers(self) -> int:
        """VGPRs of A and of B: m x k elements of 2 bytes over 64 lanes."""
        return self.m * self.k // 128

    def opcode(self, dtype: str, arch: str, span: SourceSpan) -> str:
        """The opcode for elements of ``dtype`` on ``arch``.

        Raises:
            UnknownInstruction: there is none.
        """
        shape = f"v_mfma_f32_{self.m}x{self.m}x{self.k}"
        suffix = "bf16_1k" if dtype == "bf16" else dtype
        for name in (f"{shape}_{dtype}", f"{shape}{suffix}"):
            info = opcode_table().get(name)
            if info is not None and arch in info.archs:
                return name
        raise UnknownInstruction(
            f"no MFMA {self.m}x{self.m}x{self.k} of {dtype} on {arch}", span, "mfma: widest fits every one"
        )


def read_shape(node: Node | None, arch: str) -> MfmaShape:
    """The shape that ``mfma:`` names (none: widest).

    Raises:
        UserError: not a shape, or not on this architecture.
    """
    name = node.text() if node is not None else "widest"
    span = node.span if node is not None else SourceSpan("")
    for m, k in _CANDIDATES.get(name, ()):
        shape = MfmaShape(m, k)
        try:
            lookup(shape.opcode("bf16", arch, span), arch, span)
        except UnknownInstruction:
            continue
        return shape
    parts = name.split("x")
    if len(parts) == 3 and all(each.isdecimal() and len(each) < 4 for each in parts) and parts[0] == parts[1]:
        shape = MfmaShape(int(parts[0]), int(parts[2]))
        if shape.m in (16, 32):
            shape.opcode("bf16", arch, span)
            return shape
    raise UserError(f"mfma: {name!r}", span, "widest, widest32, or a shape such as 16x16x16 or 32x32x8")
