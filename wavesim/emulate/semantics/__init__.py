"""What each opcode does. Importing the package registers every family of opcodes."""

from __future__ import annotations

from wavesim.emulate.registry import BINDERS, Binder
from wavesim.emulate.semantics import lds, matrix, memory, scalar, vector
from wavesim.isa.opcodes import opcode_table

__all__ = ["binder_of", "covered", "lds", "matrix", "memory", "scalar", "uncovered", "vector"]


def binder_of(opcode: str) -> Binder | None:
    """The binder of ``opcode``, or None where it has no semantics."""
    return BINDERS.get(opcode)


def covered() -> frozenset[str]:
    """Opcodes of the opcode table that have semantics."""
    return frozenset(BINDERS) & frozenset(opcode_table())


def uncovered(arch: str) -> tuple[str, ...]:
    """Opcodes that exist on ``arch`` and have no semantics, sorted."""
    known = covered()
    table = opcode_table()
    return tuple(sorted(name for name, info in table.items() if arch in info.archs and name not in known))
