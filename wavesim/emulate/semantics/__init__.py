"""What each opcode does. Importing the package registers every family of opcodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wavesim.emulate.registry import BINDERS, Binder
from wavesim.emulate.semantics import lds, matrix, memory, scalar, vector
from wavesim.isa.opcodes import opcode_table
from wavesim.trace.code import CodeEntry

__all__ = [
    "binder_of",
    "covered",
    "lds",
    "matrix",
    "memory",
    "scalar",
    "uncovered",
    "vector",
    "without_semantics",
]


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


def without_semantics(code: Sequence[CodeEntry], indices: Iterable[int]) -> list[int]:
    """Those of the instructions that cannot be executed."""
    return [index for index in indices if binder_of(code[index].instruction.opcode) is None]
