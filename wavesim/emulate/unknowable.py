"""What an execution cannot know, and what follows: values of unknown instructions and of unknown inputs.

A forward data-flow analysis over the static branches: an instruction that is unknown, or that reads a value
that cannot be known, makes what it writes unknowable. Such instructions are not executed but keep their place
in the Trace. Memory is taken as one cell for LDS, one for scratch and one for global memory, which become
unknowable at the first store of an unknowable value (scalar loads keep reading what the launch put there). A
vector register counts as known again once a known value is written to it, whatever lanes EXEC selects.
Under an unknowable EXEC the lanes stay those that were active before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wavesim.emulate.blocks import BlockMap
from wavesim.isa.kinds import BRANCH_KINDS, MEMORY_KINDS, VMEM_KINDS, Kind
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.isa.unknown import is_marked
from wavesim.program import Instruction, Operand, Program, Special
from wavesim.program.dataflow import effects, registers_of
from wavesim.program.forms import loads_to_lds, operand_specs

RegisterName = tuple[str, int]

LDS, GLOBAL, SCRATCH = ("memory", 0), ("memory", 1), ("memory", 2)
"""Memories as registers of the analysis."""

_EXEC: RegisterName = ("exec", 0)
_CONDITIONS: dict[str, RegisterName] = {"scc": ("scc", 0), "vcc": ("vcc", 0), "exec": ("exec", 0)}


@dataclass(frozen=True, slots=True)
class Unknown:
    """An instruction that cannot be executed: where it stands, why, and what timing takes it for."""

    index: int
    opcode: str
    why: str
    taken_for: str


@dataclass(frozen=True, slots=True)
class Unknowable:
    """Static instructions, by index, whose execution rests on something unknown.

    Attributes:
        unknown: instructions that cannot be executed themselves.
        skipped: all that are not executed: unknown, or with an input that is.
        conditions: branches that are taken by assumption.
        addresses: memory instructions at unknowable addresses (or under an unknowable EXEC).
        stores: of these and of those with unknowable data, the ones that write memory.
        lanes: instructions that select lanes by an unknowable condition; they are taken to leave all that
            were active (only where that is asked for, else EXEC is unknowable).
        at_end: registers and memories unknowable at the last instruction.
        around: branches that close or leave a loop, known or not.
    """

    unknown: tuple[Unknown, ...]
    skipped: frozenset[int]
    conditions: frozenset[int]
    addresses: frozenset[int]
    stores: frozenset[int]
    lanes: frozenset[int] = frozenset()
    at_end: frozenset[RegisterName] = frozenset()
    around: frozenset[int] = frozenset()

    @property
    def rounds(self) -> frozenset[int]:
        """Of the branches that are taken by assumption, those that close or leave a loop."""
        return self.conditions & self.around

    def of_kind(self, blocks: BlockMap, *kinds: Kind) -> frozenset[int]:
        """Memory instructions of ``kinds`` at unknowable addresses."""
        return frozenset(index for index in self.addresses if blocks.code[index].kind in kinds)


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One instruction, sets of registers as bits."""

    reads: int
    writes: int
    address: int
    stores: int  # memory cells written
    loads: int  # memory cells read
    unknown: bool
    memory: bool
    saves: int = 0  # written with what ``saved`` held before, whatever the other sources
    saved: int = 0


class _Numbers:
    """Registers as bit numbers."""

    def __init__(self) -> None:
        self.known: dict[RegisterName, int] = {}

    def bits(self, names: Iterable[RegisterName]) -> int:
        value = 0
        for name in names:
            value |= 1 << self.known.setdefault(name, len(self.known))
        return value


def address_operands(info: OpcodeInfo, instruction: Instruction) -> tuple[Operand, ...]:
    """The operands of a memory instruction that say where it goes."""
    operands = instruction.operands
    if "unknown" in info.flags:
        return operands
    specs = operand_specs(info, instruction)
    if info.format == "SMEM":
        return operands[1:]
    result = int(bool(specs) and specs[0].role != "src")
    if info.format == "DS":
        return operands[result : result + 1]
    if info.format in ("MUBUF", "MTBUF"):
        return operands if loads_to_lds(info, instruction) else operands[1:]
    # FLAT, GLOBAL, SCRATCH: [result,] address, [data,] scalar address
    return (*operands[result : result + 1], *operands[-1:])


def memory_cells(info: OpcodeInfo, instruction: Instruction) -> tuple[list[RegisterName], list[RegisterName]]:
    """Memory cells that an instruction reads and writes."""
    loads: list[RegisterName] = []
    stores: list[RegisterName] = []
    atomic = "atomic" in info.flags
    if info.format == "DS":
        if "lane_exchange" not in info.flags:
            if info.kind is Kind.LDS_READ:
                loads.append(LDS)
            if info.kind is Kind.LDS_WRITE or "atomic_lds" in info.flags:
                stores.append(LDS)
    elif info.kind in VMEM_KINDS:
        cell = SCRATCH if info.format == "SCRATCH" else GLOBAL
        if info.kind is Kind.VMEM_STORE:
            stores.append(cell)
        if info.kind is Kind.VMEM_LOAD or atomic:
            loads.append(cell)
        if loads_to_lds(info, instruction):
            stores.append(LDS)
    return loads, stores


def _transfer(program: Program, index: int, numbers: _Numbers, unknown: bool) -> _Transfer:
    instruction = program.instructions[index]
    info = lookup(instruction.opcode, program.arch, instruction.span)
    found = effects(instruction, program.arch)
    loads, stores = memory_cells(info, instruction)
    kind = Kind(info.kind)
    address = [name for operand in address_operands(info, instruction) for name in registers_of(operand)]
    if kind in MEMORY_KINDS:
        address += [name for name in found.reads if name[0] in ("m0", "exec")]
    if info.kind is Kind.COND_BRANCH:
        for word, register in _CONDITIONS.items():
            if word in instruction.opcode:
                address.append(register)
    elif info.kind is Kind.BRANCH:
        address = list(found.reads)
    reads = found.reads
    saves: frozenset[RegisterName] = frozenset()
    if instruction.opcode.endswith("_saveexec_b64"):
        saves = frozenset(registers_of(instruction.operands[0]))
    elif _restores_exec(instruction):
        reads = reads - {_EXEC}
    return _Transfer(
        numbers.bits(reads),
        numbers.bits(found.writes),
        numbers.bits(address),
        numbers.bits(stores),
        numbers.bits(loads),
        unknown,
        kind in MEMORY_KINDS or kind is Kind.SMEM,
        numbers.bits(saves),
        numbers.bits((_EXEC,)) if saves else 0,
    )


def _restores_exec(instruction: Instruction) -> bool:
    """``s_or_b64 exec, exec, saved``: what compilers end a divergent region with; EXEC is then ``saved``."""
    if instruction.opcode != "s_or_b64" or instruction.operands[0] != Special("exec"):
        return False
    return Special("exec") in instruction.operands[1:]


def find_unknowable(
    program: Program,
    blocks: BlockMap,
    reasons: dict[int, str],
    at_entry: Iterable[RegisterName] = (),
    *,
    keep_lanes: bool = False,
    around: frozenset[int] = frozenset(),
) -> Unknowable:
    """What cannot be known when the instructions in ``reasons`` (index -> why) cannot be executed.

    ``at_entry``: registers and memories whose content is not known at the first instruction.
    ``keep_lanes``: EXEC stays known, whatever conditions select lanes; but a branch ``around`` a loop
    that asks for such an EXEC is not known: lanes that never leave would go round for ever.
    """
    numbers = _Numbers()
    reachable = blocks.reachable()
    steps = {index: _transfer(program, index, numbers, index in reasons) for index in reachable}
    state: dict[int, int] = {0: numbers.bits(at_entry)}
    exempt = ~numbers.bits((_EXEC,)) if keep_lanes else -1
    todo = [0]
    while todo:
        start = todo.pop()
        block = blocks.block_at(start)
        value = state[start]
        for index in range(start, block.stop):
            value = _after(steps[index], value) & exempt
        following = [block.target] if block.target >= 0 else []
        if block.exit.value in ("fall", "branch", "barrier", "indirect"):
            following.append(block.stop)
        for each in following:
            if each >= len(program.instructions):
                continue
            before = state.get(each)
            if before is None or value & ~before:
                state[each] = value | (before or 0)
                todo.append(each)
    found = _collect(program, blocks, steps, state, reasons, numbers, exempt)
    asked = {index for index in around if "_exec" in program.instructions[index].opcode}
    if asked and found.lanes:
        asked &= _doubtful_exec(program, blocks, steps, found.lanes, numbers.bits((_EXEC,)))
        found = replace(found, conditions=found.conditions | asked)
    return replace(found, around=around)


def _doubtful_exec(
    program: Program, blocks: BlockMap, steps: dict[int, _Transfer], lanes: frozenset[int], exec_bit: int
) -> set[int]:
    """Instructions before which an unknowable condition may have left EXEC as it was."""
    found: set[int] = set()
    seen: dict[int, bool] = {}
    todo = [(0, False)]
    while todo:
        start, doubt = todo.pop()
        if start >= len(program.instructions) or seen.get(start, False) or seen.get(start) is doubt:
            continue
        seen[start] = doubt
        block = blocks.block_at(start)
        for index in range(start, block.stop):
            if doubt:
                found.add(index)
            if steps[index].writes & exec_bit:
                doubt = index in lanes
        if block.target >= 0:
            todo.append((block.target, doubt))
        if block.exit.value in ("fall", "branch", "barrier", "indirect"):
            todo.append((block.stop, doubt))
    return found


def _after(step: _Transfer, value: int) -> int:
    """The unknowable registers after an instruction."""
    if step.unknown or value & (step.reads | step.loads | step.address):
        after = value | step.writes | step.stores
        return after if not step.saves or value & step.saved else after & ~step.saves
    return value & ~step.writes


def _collect(
    program: Program,
    blocks: BlockMap,
    steps: dict[int, _Transfer],
    state: dict[int, int],
    reasons: dict[int, str],
    numbers: _Numbers,
    exempt: int,
) -> Unknowable:
    skipped, conditions, addresses, stores, lanes = set(), set(), set(), set(), set()
    at_end = -1
    exec_bit = numbers.bits((_EXEC,))
    for start, entry in state.items():
        block = blocks.block_at(start)
        value = entry
        for index in range(start, block.stop):
            step, kind = steps[index], blocks.code[index].kind
            lost = step.unknown or bool(value & step.address)
            unknowable = lost or bool(value & step.reads)
            if kind in BRANCH_KINDS:
                if lost:
                    conditions.add(index)
            elif step.memory:
                if lost:
                    addresses.add(index)
                    skipped.add(index)
                if unknowable and step.stores:
                    stores.add(index)
            elif unknowable:
                skipped.add(index)
                if step.writes & exec_bit and exempt != -1:
                    lanes.add(index)
            if index == len(program.instructions) - 1:
                at_end = value
            value = _after(step, value) & exempt
    unknown = tuple(
        Unknown(
            index,
            program.instructions[index].opcode.removeprefix("?"),
            reasons[index],
            blocks.code[index].kind.value,
        )
        for index in sorted(reasons)
        if index in steps
    )
    return Unknowable(
        unknown,
        frozenset(skipped),
        frozenset(conditions),
        frozenset(addresses),
        frozenset(stores),
        frozenset(lanes),
        frozenset(name for name, number in numbers.known.items() if at_end >> number & 1),
    )


def marked_instructions(program: Program, reachable: Iterable[int]) -> dict[int, str]:
    """Reachable instructions that were read as unknown, with what the reader said."""
    return {
        index: program.instructions[index].comment.partition("; ")[0]
        for index in reachable
        if is_marked(program.instructions[index].opcode)
    }
