"""Runs blocks: binds each block once per batch of waves, executes it, and says where its waves go next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wavesim.emulate.adversary import delivers
from wavesim.emulate.assumed_ways import AssumedWays
from wavesim.emulate.blocks import Block, BlockMap, Exit
from wavesim.emulate.context import BlockRecord, Context
from wavesim.emulate.lds_groups import LdsTable
from wavesim.emulate.recorder import Executed
from wavesim.emulate.registry import Binder, Binding
from wavesim.emulate.semantics import binder_of
from wavesim.emulate.semantics.memory.addresses_only import bind_addresses
from wavesim.emulate.semantics.scalar.control import condition, jump_targets, next_address
from wavesim.emulate.semantics.scalar.gpr_index import bind_indexed
from wavesim.emulate.semantics.scalar.mode_register import bind_by_mode
from wavesim.emulate.shared_reads import SharedReads
from wavesim.emulate.state import VCC, Lanes
from wavesim.emulate.types import Step
from wavesim.errors import UnknownInstruction, UserError
from wavesim.isa.kinds import LDS_KINDS, VMEM_KINDS, Kind
from wavesim.isa.opcodes import lookup
from wavesim.program import Instruction, Register
from wavesim.program.dataflow import effects
from wavesim.program.forms import operand_specs
from wavesim.trace.code import CodeEntry
from wavesim.trace.trace import UNKNOWN

MOST_KEPT = 64
"""Runs of a block that are kept because others may be like them."""

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
        self.lds = self._lds_table(blocks)
        grouped = self.lds.steps if self.lds is not None else {}
        shared = _shared_reads(block, context, blocks)
        self.steps = []
        for index in range(block.start, block.stop):
            row = index - block.start
            step = grouped.get(index) or _bind(index, row, lanes, context, blocks, skip_unknown, shared)
            self.steps.append(step)
            if shared is not None and context.adversary is not None and delivers(blocks.code[index]):
                shared.clear()
            elif shared is not None:
                shared.written(_vector_rows(blocks.code[index].instruction, context))
        # what does nothing by itself need not be called
        self.steps = [step for step in self.steps if step is not _nothing]
        self._same: dict[tuple[bytes, int], tuple[Executed, object]] = {}
        self.taken: Callable[[], npt.NDArray[np.bool_]] | None = None
        self.targets: Callable[[], npt.NDArray[np.int64]] | None = None
        last = context.program.instructions[block.stop - 1]
        if context.ways is not None and block.stop - 1 in context.ways.assumed:
            self._assume(blocks, context.ways)
        elif block.exit is Exit.BRANCH:
            self.taken = condition(last.opcode, lanes)
        elif block.exit is Exit.INDIRECT:
            self.targets = self._indirect(blocks)

    def _lds_table(self, blocks: BlockMap) -> LdsTable | None:
        """Where all LDS instructions of the block are executed for their addresses alone."""
        indices = (self.block.start + self.block.lds_rows).tolist()
        sliced = self.context.slice
        if sliced is None or self.context.track_writers or self.context.observe_lds or not indices:
            return None
        if not sliced.addresses_only.issuperset(indices):
            return None

        def bound(index: int) -> Binding:
            return _binding(index, index - self.block.start, self.lanes, self.context, blocks)

        return LdsTable(self.block, self.lanes, self.context, blocks, bound)

    def _assume(self, blocks: BlockMap, ways: AssumedWays) -> None:
        """A branch on what is not known goes the way that is assumed. A call returns at once; a jump that may
        not be followed further ends the wave."""
        block, waves, count = self.block, self.lanes.waves, self.lanes.count
        ends = [index for index, entry in enumerate(blocks.code) if entry.kind is Kind.ENDPGM]
        end = ends[-1] if ends else len(blocks.code)
        if block.exit is Exit.INDIRECT:
            call = blocks.code[block.stop - 1].instruction.opcode == "s_swappc_b64"
            place = block.stop if call else end
            self.targets = lambda: np.full(count, place, np.int64)
            return
        decision = ways.decide(block)
        if block.exit is Exit.BRANCH:
            self.taken = lambda: decision(waves)
        else:
            self.targets = lambda: np.where(decision(waves), block.target, end)

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
        array_clk = self.lds.finish() if self.lds is not None else None
        if len(self.block.memory_rows) or (self.lds is None and len(self.block.lds_rows)):
            return Executed(self.block, record, taken, self.lanes.count, array_clk), taken
        # without accesses to record all runs that go the same way look the same, and are kept once
        way = taken.tobytes() if taken is not None else b"", id(array_clk)
        same = self._same.get(way)
        if same is None:
            if len(self._same) >= MOST_KEPT:
                self._same.clear()
            same = self._same[way] = (
                Executed(self.block, record, taken, self.lanes.count, array_clk),
                array_clk,
            )
        return same[0], taken


def _nothing() -> None:
    return None


def _binding(
    index: int,
    row: int,
    lanes: Lanes,
    context: Context,
    blocks: BlockMap,
    shared: SharedReads | None = None,
) -> Binding:
    instruction = blocks.code[index].instruction
    info = lookup(instruction.opcode, context.arch, instruction.span)
    specs = operand_specs(info, instruction)
    return Binding(instruction, info, specs, lanes, context, row, context.first_mode, index, shared)


def _bind(
    index: int,
    row: int,
    lanes: Lanes,
    context: Context,
    blocks: BlockMap,
    skip_unknown: bool,
    shared: SharedReads | None = None,
) -> Step:
    entry = blocks.code[index]
    if index in context.skipped:
        return _skip(entry, lanes, context)
    if context.slice is not None:
        if index in context.slice.left_out:
            return _nothing
        if index in context.slice.addresses_only:
            return bind_addresses(_binding(index, row, lanes, context, blocks))
    binder = binder_of(entry.instruction.opcode)
    if binder is None:
        if skip_unknown:
            return _skip(entry, lanes, context)
        raise UserError(f"{entry.instruction.opcode} has no semantics", entry.instruction.span)
    if context.adversary is not None:
        return context.adversary.wrap(
            entry, lanes, context, _plain(binder, index, row, lanes, context, blocks, shared)
        )
    return _plain(binder, index, row, lanes, context, blocks, shared)


def _plain(
    binder: Binder,
    index: int,
    row: int,
    lanes: Lanes,
    context: Context,
    blocks: BlockMap,
    shared: SharedReads | None = None,
) -> Step:
    entry = blocks.code[index]
    if entry.instruction.opcode in ("s_branch", "s_waitcnt", "s_nop", "s_barrier", "s_setprio"):
        return _nothing
    binding = _binding(index, row, lanes, context, blocks, shared)
    if index in blocks.indexed:
        bits = blocks.indexed[index]
        plain = binder
        binder = lambda each: bind_indexed(plain, each, bits)  # noqa: E731
    step = bind_by_mode(binder, binding) if context.writes_mode else binder(binding)
    if index not in blocks.indexed:  # those are bound when their index is known
        binding.require_modifiers_read()
    return step


def _shared_reads(block: Block, context: Context, blocks: BlockMap) -> SharedReads | None:
    """For a block of several matrix instructions whose registers change only where its code says so."""
    matrix = sum(entry.kind is Kind.MFMA for entry in blocks.code[block.start : block.stop])
    fixed = not context.writes_mode and not blocks.indexed
    return SharedReads() if matrix > 1 and fixed else None


def _vector_rows(instruction: Instruction, context: Context) -> set[int]:
    """VGPR rows that an instruction writes, AGPRs behind."""
    first = {"v": 0, "a": context.state.agpr_base}
    writes = effects(instruction, context.arch).writes
    return {first[file] + index for file, index in writes if file in first}


def _skip(entry: CodeEntry, lanes: Lanes, context: Context) -> Step:
    """An instruction that is not executed: no effect, but its place in the records. What saves EXEC does."""
    kind = entry.kind
    unknown = np.full(lanes.count, UNKNOWN, np.int32)
    no_lines = (np.zeros(lanes.count, np.int64), np.zeros(0, np.int64))
    if kind in LDS_KINDS:
        return lambda: context.record.lds_clk.append(unknown)
    if kind in VMEM_KINDS:

        def skip_memory() -> None:
            context.record.memory_bytes.append(unknown)
            context.record.lines.append(no_lines)

        return skip_memory
    if entry.instruction.opcode.endswith("_saveexec_b64"):
        operand = entry.instruction.operands[0]
        row = operand.index if isinstance(operand, Register) else VCC
        return lambda: lanes.write_mask(row, lanes.exec)
    return _nothing


def refused_forms(context: Context, blocks: BlockMap, indices: list[int]) -> dict[int, str]:
    """Instructions whose opcode has semantics but not in this form: index -> why."""
    lanes = Lanes(context.state, slice(0, 1, 1))
    found: dict[int, str] = {}
    for index in indices:
        binder = binder_of(blocks.code[index].instruction.opcode)
        if binder is None:
            continue
        try:
            _plain(binder, index, 0, lanes, context, blocks)
        except UnknownInstruction as error:
            found[index] = error.message
    return found


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
