"""Basic blocks of a program: where they begin and end, and how control leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from wavesim.emulate.indexing import indexed_instructions
from wavesim.errors import UnknownInstruction, UserError
from wavesim.isa.kinds import BRANCH_KINDS, LDS_KINDS, VMEM_KINDS, Kind
from wavesim.program import Immediate, Program, Symbol
from wavesim.trace.code import CodeEntry


class Exit(Enum):
    """How control leaves a block."""

    FALL = "fall"
    JUMP = "jump"
    BRANCH = "branch"
    INDIRECT = "indirect"
    BARRIER = "barrier"
    END = "end"


@dataclass(frozen=True)
class Block:
    """Instructions ``start``..``stop`` - 1, executed one after the other.

    ``lds_rows`` and ``memory_rows`` are the places, within the block, of LDS and global-memory
    instructions; ``target`` the static branch target, -1 where there is none.
    """

    start: int
    stop: int
    exit: Exit
    target: int
    code: npt.NDArray[np.int32]
    lds_rows: npt.NDArray[np.int64]
    memory_rows: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return self.stop - self.start


_INDIRECT = ("s_setpc_b64", "s_swappc_b64")


class BlockMap:
    """Finds the block at an instruction; blocks are made when they are first asked for."""

    def __init__(self, program: Program, code: tuple[CodeEntry, ...]) -> None:
        self.program = program
        self.code = code
        self.index_of_address = {address: index for index, address in enumerate(program.addresses)}
        self.targets = {
            index: self._target(index)
            for index, entry in enumerate(code)
            if entry.kind in BRANCH_KINDS and entry.instruction.opcode not in _INDIRECT
        }
        self.indexed = indexed_instructions(program)
        self.leaders = frozenset(self.targets.values())
        self._blocks: dict[int, Block] = {}

    def _target(self, index: int) -> int:
        instruction = self.program.instructions[index]
        operand = instruction.operands[-1] if instruction.operands else None
        if isinstance(operand, Symbol):
            place = self.program.labels.get(operand.name)
            if place is not None:
                return place
            raise UserError(f"label {operand} is not in this kernel", instruction.span)
        if isinstance(operand, Immediate):
            offset = (int(operand.value) & 0xFFFF ^ 0x8000) - 0x8000
            address = self.program.addresses[index] + self.program.sizes[index] + 4 * offset
            if address in self.index_of_address:
                return self.index_of_address[address]
        raise UserError(
            f"{instruction.opcode} {operand} goes to no instruction of this kernel", instruction.span
        )

    def block_at(self, start: int) -> Block:
        """The block that begins at instruction ``start``.

        Raises:
            UserError: control runs past the end of the program.
        """
        block = self._blocks.get(start)
        if block is None:
            block = self._blocks[start] = self._make(start)
        return block

    def _make(self, start: int) -> Block:
        if start >= len(self.code):
            last = self.program.instructions[-1].span if self.program.instructions else None
            raise UserError("execution runs past the last instruction", last, "the kernel needs an s_endpgm")
        stop = start
        way, target = Exit.FALL, -1
        while stop < len(self.code):
            entry = self.code[stop]
            stop += 1
            if entry.kind in BRANCH_KINDS:
                if entry.instruction.opcode in _INDIRECT:
                    way = Exit.INDIRECT
                else:
                    way = Exit.JUMP if entry.kind is Kind.BRANCH else Exit.BRANCH
                    target = self.targets[stop - 1]
                break
            if entry.kind is Kind.BARRIER:
                way = Exit.BARRIER
                break
            if entry.kind is Kind.ENDPGM:
                way = Exit.END
                break
            if stop in self.leaders:
                break
        kinds = [entry.kind for entry in self.code[start:stop]]
        return Block(
            start,
            stop,
            way,
            target,
            np.arange(start, stop, dtype=np.int32),
            np.array([place for place, kind in enumerate(kinds) if kind in LDS_KINDS], np.int64),
            np.array([place for place, kind in enumerate(kinds) if kind in VMEM_KINDS], np.int64),
        )

    def reachable(self) -> list[int]:
        """Instructions that control can reach from the first, over static branches."""
        seen: set[int] = set()
        todo = [0, *self.program.functions()]
        while todo:
            start = todo.pop()
            if start in seen or start >= len(self.code):
                continue
            block = self.block_at(start)
            seen.add(start)
            if block.exit in (Exit.FALL, Exit.BRANCH, Exit.BARRIER, Exit.INDIRECT):
                todo.append(block.stop)
            if block.target >= 0:
                todo.append(block.target)
        return sorted({index for start in seen for index in range(start, self.block_at(start).stop)})


def refuse_unknown(program: Program, missing: list[int]) -> None:
    """Raise for the first of the instructions without semantics.

    Raises:
        UnknownInstruction: with its place, and the names of all.
    """
    if missing:
        first = program.instructions[missing[0]]
        names = sorted({program.instructions[index].opcode for index in missing})
        raise UnknownInstruction(
            f"{first.opcode} cannot be executed: it has no semantics yet",
            first.span,
            f"reachable instructions without semantics: {', '.join(names)}" if len(names) > 1 else "",
        )
