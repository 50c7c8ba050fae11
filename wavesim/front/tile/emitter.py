"""The code being lowered: two instruction streams (preamble and body) over virtual registers.

A virtual register has an index from ``FIRST_VIRTUAL``; :mod:`wavesim.front.tile.registers` gives it a
real one at the end. The preamble computes what no loop changes, once, before the body.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wavesim.errors import LimitExceeded, SourceSpan
from wavesim.limits import MAX_INSTRUCTIONS_STATIC
from wavesim.program import Immediate, Instruction, Operand, Register
from wavesim.program.operands import RegisterFile
from wavesim.program.program import ModifierValue

FIRST_VIRTUAL = 4096
"""Index of the first virtual register of each file."""


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the code that branches name."""

    name: str


@dataclass(frozen=True, slots=True)
class Raw:
    """An instruction of a ``raw`` statement: kept as written, without added wait states."""

    instruction: Instruction


Item = Instruction | Label | Raw


@dataclass
class Emitter:
    """Collects instructions; ``span`` is the statement that is being lowered."""

    span: SourceSpan
    preamble: list[Item] = field(default_factory=list)
    body: list[Item] = field(default_factory=list)
    _next: dict[str, int] = field(default_factory=lambda: {"v": FIRST_VIRTUAL, "s": FIRST_VIRTUAL})
    _labels: int = 0

    def virtual(self, file: RegisterFile, count: int = 1) -> Register:
        """A new virtual register range (aligned to its count by the allocator)."""
        index = self._next[file]
        self._next[file] += count
        return Register(file, index, count)

    def put(
        self,
        opcode: str,
        *operands: Operand | int,
        into: list[Item] | None = None,
        comment: str = "",
        **modifiers: ModifierValue,
    ) -> None:
        """Appends an instruction to the body (or ``into``); zero modifiers are left out."""
        stream = self.body if into is None else into
        if len(self.body) + len(self.preamble) >= MAX_INSTRUCTIONS_STATIC:
            raise LimitExceeded(
                f"the program has more than {MAX_INSTRUCTIONS_STATIC} instructions",
                self.span,
                "unroll less: use loop: instead of for:",
            )
        stream.append(
            Instruction(
                opcode,
                tuple(Immediate(each) if isinstance(each, int) else each for each in operands),
                tuple((name, value) for name, value in modifiers.items() if value),
                span=self.span,
                comment=comment,
            )
        )

    def new_label(self, stem: str) -> str:
        """A label name that is not used yet."""
        self._labels += 1
        return f".L{stem}_{self._labels}"


def part(register: Register, first: int, count: int = 1) -> Register:
    """``count`` registers of a range, from its ``first``-th."""
    return Register(register.file, register.index + first, count)
