"""Runs blocks: binds each block once per batch of waves, executes it, and says where its waves go next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wavesim.emulate.blocks import Block, BlockMap, Exit
from wavesim.emulate.context import BlockRecord, Context
from wavesim.emulate.control import condition, jump_targets, next_address
from wavesim.emulate.recorder import Executed
from wavesim.emulate.registry import Binder, Binding, Step, binder_of
from wavesim.emulate.state import Lanes
from wavesim.errors import UserError
from wavesim.isa.opcodes import lookup
from wavesim.program.forms import operand_specs
from wavesim.trace.code import Kind
from wavesim.trace.trace import UNKNOWN

SliceKey = tuple[int, int, int]


class Runner:
    """A block bound to a batch."""

    def __init__(
        self, block: Block, lanes: Lanes, context: Context, blocks: BlockMap, skip_unknown: bool
    ) -> None:
        self.block = block
        self.lanes = lanes
        self.context = context
        self.numbers: list[int] = lanes.numbers.tolist()
        self.steps = [
            _bind(index, index - block.start, lanes, context, blocks, skip_unknown)
            for index in range(block.start, block.stop)
        ]
        # what does nothing by itself need not be called
        self.steps = [step for step in self.steps if step is not _nothing]
        self.taken: Callable[[], npt.NDArray[np.bool_]] | None = None
        self.targets: Callable[[], npt.NDArray[np.int64]] | None = None
        last = context.program.instructions[block.stop - 1]
        if block.exit is Exit.BRANCH:
            self.taken = condition(last.opcode, lanes)
        elif block.exit is Exit.INDIRECT:
            self.targets = self._indirect(blocks)

    def _indirect(self, blocks: BlockMap) -> Callable[[], npt.NDArray[np.int64]]:
        index = self.block.stop - 1
        binding = _binding(index, 0, self.lanes, self.context, blocks)
        read = jump_targets(binding)
        if binding.instruction.opcode == "s_swappc_b64":
            self.steps.pop()  # the target must be read before the return address is written
            save = _bind(index, 0, self.lanes, self.context, blocks, False)
        else:
            save = _nothing
        known = blocks.index_of_address

        def targets() -> npt.NDArray[np.int64]:
            addresses = read()
            save()
            places = [known.get(address, -1) for address in addresses.tolist()]
            if -1 in places:
                offset = int(addresses[places.index(-1)])
                raise UserError(
                    f"{binding.instruction.opcode} leaves the kernel (to offset {offset})",
                    binding.instruction.span,
                )
            return np.array(places, np.int64)

        return targets

    def run(self) -> tuple[Executed, npt.NDArray[np.bool_] | None]:
        """Execute the block once; what it leaves for the Trace, and whether its branch is taken [n]."""
        record = self.context.record = BlockRecord()
        self.lanes.begin()
        for step in self.steps:
            step()
        taken = self.taken().copy() if self.taken is not None else None
        return Executed(self.block, record, taken), taken


def _nothing() -> None:
    return None


def _binding(index: int, row: int, lanes: Lanes, context: Context, blocks: BlockMap) -> Binding:
    instruction = blocks.code[index].instruction
    info = lookup(instruction.opcode, context.arch, instruction.span)
    return Binding(instruction, info, operand_specs(info, instruction), lanes, context, row, index)


def _bind(index: int, row: int, lanes: Lanes, context: Context, blocks: BlockMap, skip_unknown: bool) -> Step:
    entry = blocks.code[index]
    binder = binder_of(entry.instruction.opcode)
    if binder is None:
        if skip_unknown:
            return _skip(entry.kind, lanes, context)
        raise UserError(f"{entry.instruction.opcode} has no semantics", entry.instruction.span)
    if context.adversary is not None:
        return context.adversary.wrap(
            entry, lanes, context, _plain(binder, index, row, lanes, context, blocks)
        )
    return _plain(binder, index, row, lanes, context, blocks)


def _plain(binder: Binder, index: int, row: int, lanes: Lanes, context: Context, blocks: BlockMap) -> Step:
    entry = blocks.code[index]
    if entry.instruction.opcode in ("s_branch", "s_waitcnt", "s_nop", "s_barrier", "s_setprio"):
        return _nothing
    return binder(_binding(index, row, lanes, context, blocks))


def _skip(kind: Kind, lanes: Lanes, context: Context) -> Step:
    """An instruction without semantics: no effect, but its place in the records."""
    unknown = np.full(lanes.count, UNKNOWN, np.int32)
    no_lines = (np.zeros(lanes.count, np.int64), np.zeros(0, np.int64))
    if kind in (Kind.LDS_READ, Kind.LDS_WRITE):
        return lambda: context.record.lds_clk.append(unknown)
    if kind in (Kind.VMEM_LOAD, Kind.VMEM_STORE):

        def skip_memory() -> None:
            context.record.memory_bytes.append(unknown)
            context.record.lines.append(no_lines)

        return skip_memory
    return _nothing


class Runners:
    """All bound blocks, by block and batch."""

    def __init__(self, context: Context, blocks: BlockMap, skip_unknown: bool) -> None:
        self.context = context
        self.blocks = blocks
        self.skip_unknown = skip_unknown
        self._lanes: dict[SliceKey, Lanes] = {}
        self._runners: dict[tuple[int, SliceKey], Runner] = {}

    def get(self, start: int, waves: slice) -> Runner:
        """The runner of the block at ``start`` for a batch."""
        key = (waves.start, waves.stop, waves.step)
        runner = self._runners.get((start, key))
        if runner is None:
            lanes = self._lanes.get(key)
            if lanes is None:
                lanes = self._lanes[key] = Lanes(self.context.state, waves)
            block = self.blocks.block_at(start)
            runner = Runner(block, lanes, self.context, self.blocks, self.skip_unknown)
            self._runners[start, key] = runner
        return runner


def batches(waves: list[int]) -> list[slice]:
    """Ascending wave numbers as slices: runs with one step, of which views can be taken."""
    found = []
    place = 0
    while place < len(waves):
        step = waves[place + 1] - waves[place] if place + 1 < len(waves) else 1
        end = place + 1
        while end < len(waves) and waves[end] - waves[end - 1] == step:
            end += 1
        if step > 1 and end - place == 2:  # two waves apart: the second may begin a longer run
            end, step = place + 1, 1
        found.append(slice(waves[place], waves[end - 1] + 1, step))
        place = end
    return found


__all__ = ["Runner", "Runners", "batches", "next_address"]
