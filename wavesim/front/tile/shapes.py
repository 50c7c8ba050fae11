"""MFMA shapes by name, ``16x16x16``, ``widest`` (16 rows) or ``widest32``, and the instruction that each is
for the types of its operands and an architecture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from wavesim.errors import SourceSpan, UnknownInstruction, UserError
from wavesim.front.tile.element_types import ELEMENT_BITS, F8F6F4
from wavesim.front.tile.node import Node
from wavesim.isa.kinds import LANES
from wavesim.isa.opcodes import opcode_table

_WIDEST = {"widest": 16, "widest32": 32}
_DEPTHS = (128, 64, 32, 16, 8)
"""Depths of instructions with one block; the shallower ones of 16-bit types multiply several at a time."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A matrix instruction: m x m results from m x k elements of A and of B, all lanes together."""

    opcode: str
    m: int
    k: int
    cbsz: int = 0
    blgp: int = 0

    def order(self, dtype: str, width_bytes: int, columns: int) -> tuple[int, ...]:
        """The columns of a fragment in the order of this instruction's k (see :func:`k_order`)."""
        split = "f8f6f4" in self.opcode and ELEMENT_BITS[dtype] == 8
        return k_order(self.k, self.m, dtype, width_bytes, columns, split=split)

    def registers(self, dtype: str) -> int:
        """VGPRs of an operand of ``dtype``: m x k elements over 64 lanes."""
        return self.m * self.k * ELEMENT_BITS[dtype] // (32 * LANES)


@dataclass(frozen=True, slots=True)
class MfmaShape:
    """What ``mfma:`` asks for: ``m`` rows and a depth ``k``; 0: the deepest that divides the columns."""

    m: int
    k: int = 0

    def operation(self, a: str, b: str, columns: int, arch: str, span: SourceSpan) -> Operation:
        """The instruction for fragments of types ``a`` and ``b``.

        Raises:
            UnknownInstruction: there is none.
            UserError: it does not divide the columns.
        """
        known = depths(a, b, self.m, arch)
        chosen = self.k or next((k for k in known if columns % k == 0), max(known, default=0))
        if chosen not in known:
            size = f"{self.m}x{self.m}x{self.k}" if self.k else f"{self.m}x{self.m}"
            types = a if a == b else f"{a} and {b}"
            raise UnknownInstruction(f"no MFMA {size} of {types} on {arch}", span, possible(a, b, arch))
        if columns % chosen:
            message = f"{columns} columns are no multiple of the MFMA's k = {chosen}"
            raise UserError(message, span, possible(a, b, arch))
        opcode = _opcode(a, b, self.m, chosen, arch)
        assert opcode is not None  # depths found it
        codes = (F8F6F4.index(a), F8F6F4.index(b)) if "f8f6f4" in opcode else (0, 0)
        return Operation(opcode, self.m, chosen, *codes)


@lru_cache(maxsize=256)
def _opcode(a: str, b: str, m: int, k: int, arch: str) -> str | None:
    shape = f"v_mfma_f32_{m}x{m}x{k}"
    names = []
    if a == b:
        names += [f"{shape}_{a}", f"{shape}{'bf16_1k' if a == 'bf16' else a}"]
    names.append(f"{shape}_{a}_{b}")
    if a in F8F6F4 and b in F8F6F4:
        names.append(f"{shape}_f8f6f4")
    for name in names:
        info = opcode_table().get(name)
        if info is not None and arch in info.archs:
            return name
    return None


def depths(a: str, b: str, m: int, arch: str) -> list[int]:
    """The depths k that m x m x k instructions have for two types, the deepest first."""
    return [k for k in _DEPTHS if _opcode(a, b, m, k, arch) is not None]


def possible(a: str, b: str, arch: str) -> str:
    """The shapes that two types have on an architecture, for a message."""
    shapes = [f"{m}x{m}x{k}" for m in (16, 32) for k in depths(a, b, m, arch)]
    if shapes:
        return f"mfma: {', '.join(shapes)}; widest takes 16 rows, widest32 takes 32"
    fitting = [
        f"{one} and {other}" if one != other else one
        for place, one in enumerate(ELEMENT_BITS)
        for other in list(ELEMENT_BITS)[place:]
        if depths(one, other, 16, arch) and "i" not in one
    ]
    return f"{arch} multiplies {', '.join(fitting)}"


@lru_cache(maxsize=256)
def k_order(
    operation_k: int, m: int, dtype: str, width_bytes: int, columns: int, *, split: bool
) -> tuple[int, ...]:
    """Which column of a fragment stands where the instruction takes k = 0, 1, 2, ..., step after step.

    A read of ``width_bytes`` brings neighbouring columns to a lane, and the groups of ``m`` lanes take
    neighbouring pieces. ``split``: 8-bit operands of f8f6f4, of which a group holds 16 k of the lower
    half and 16 of the upper (others hold consecutive ones; see wavesim/emulate/semantics/matrix/mfma.py).
    """
    groups = LANES // m
    each = operation_k // groups
    piece = 8 * width_bytes // ELEMENT_BITS[dtype]
    order = []
    for k in range(columns):
        step, inner = divmod(k, operation_k)
        if split and each == 32:
            half, inner = divmod(inner, operation_k // 2)
            group, item = inner // 16, 16 * half + inner % 16
        else:
            group, item = divmod(inner, each)
        slab, place = divmod(step * each + item, piece)
        order.append((slab * groups + group) * piece + place)
    return tuple(order)


def read_shape(node: Node | None, arch: str, types: Iterable[str]) -> MfmaShape:
    """The shape that ``mfma:`` names (none: widest), for fragments of ``types``.

    Raises:
        UserError: not a shape, or for none of the types on this architecture.
    """
    name = node.text() if node is not None else "widest"
    span = node.span if node is not None else SourceSpan("")
    if name in _WIDEST:
        return MfmaShape(_WIDEST[name])
    parts = name.split("x")
    if len(parts) == 3 and all(each.isdecimal() and len(each) < 4 for each in parts) and parts[0] == parts[1]:
        shape = MfmaShape(int(parts[0]), int(parts[2]))
        known = sorted(set(types)) or ["bf16"]
        if shape.m in (16, 32) and shape.k:
            if not any(shape.k in depths(a, b, shape.m, arch) for a in known for b in known):
                shape.operation(known[0], known[0], shape.k, arch, span)  # says what there is
            return shape
    raise UserError(f"mfma: {name!r}", span, "widest, widest32, or a shape such as 16x16x16 or 32x32x8")
