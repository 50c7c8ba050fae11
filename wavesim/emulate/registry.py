"""The semantics registry: which opcodes can be executed, and how each is bound to a batch of waves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wavesim.emulate.types import Step
from wavesim.errors import UnknownInstruction
from wavesim.isa.opcode_info import OpcodeInfo, OperandSpec
from wavesim.program import Instruction
from wavesim.program.program import ModifierValue

if TYPE_CHECKING:
    from wavesim.emulate.context import Context
    from wavesim.emulate.float_mode import FloatMode
    from wavesim.emulate.shared_reads import SharedReads
    from wavesim.emulate.state import Lanes


_CHANGES_RESULT = frozenset(
    ("clamp", "mul", "div", "op_sel", "op_sel_hi", "neg_lo", "neg_hi", "src0_sel", "src1_sel", "dst_sel")
)
"""Modifiers of vector instructions that change what is computed."""


def _changes(name: str, value: ModifierValue) -> bool:
    """Whether a modifier says something else than its default."""
    if name == "op_sel_hi":
        return not isinstance(value, tuple) or not all(value)
    if isinstance(value, tuple):
        return any(value)
    return bool(value) and value != "DWORD"


@dataclass(frozen=True, slots=True)
class Binding:
    """An instruction about to be bound: its table entry, its batch of waves and the execution's context.

    ``specs`` are the operand specs in written order; ``row`` the place of the instruction in its block;
    ``mode`` the MODE register under which it executes; ``shared`` what its block reads in common; ``read``
    the modifiers that its binder asked for.
    """

    instruction: Instruction
    info: OpcodeInfo
    specs: tuple[OperandSpec, ...]
    lanes: Lanes
    context: Context
    row: int
    mode: FloatMode
    index: int = 0
    shared: SharedReads | None = None
    read: set[str] = field(default_factory=set, compare=False)

    def modifier(self, name: str, default: ModifierValue | None = None) -> ModifierValue | None:
        """Value of a modifier of the instruction."""
        self.read.add(name)
        return self.instruction.modifier(name, default)

    def require_modifiers_read(self) -> None:
        """Refuse a form with a modifier that changes the result and that its binder did not ask for.

        Raises:
            UnknownInstruction: there is one.
        """
        for name, value in self.instruction.modifiers:
            if name in _CHANGES_RESULT and name not in self.read and _changes(name, value):
                raise self.refuse(f"the modifier {name} is not modelled here")

    def integer(self, name: str, default: int = 0) -> int:
        """A modifier as an integer (a flag counts as 1)."""
        value = self.modifier(name, default)
        if isinstance(value, int):
            return int(value)
        raise self.refuse(f"modifier {name!r} must be a number here")

    def refuse(self, why: str) -> UnknownInstruction:
        """The error for a form of a known opcode that has no semantics."""
        return UnknownInstruction(f"{self.instruction.opcode}: {why}", self.instruction.span)


Binder = Callable[[Binding], Step]

BINDERS: dict[str, Binder] = {}
"""Opcode -> how it is bound; filled by importing :mod:`wavesim.emulate.semantics`."""


def semantics(*opcodes: str) -> Callable[[Binder], Binder]:
    """Register a binder for ``opcodes`` (space-separated names are allowed)."""

    def register(binder: Binder) -> Binder:
        for text in opcodes:
            for opcode in text.split():
                assert opcode not in BINDERS, f"{opcode} has semantics twice"
                BINDERS[opcode] = binder
        return binder

    return register
