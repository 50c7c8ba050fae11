"""What of a program must be executed for its Trace: all that reaches an address, a branch or EXEC.

A backward data-flow analysis over the static branches. The lanes, addresses and conditions of every memory
instruction and branch are needed, and what they are computed from. A memory instruction whose data nobody
needs is executed for its addresses alone; what computes only numbers (matrix instructions, most of all) is
not executed. The Trace is the same.

A vector register has two liveness bits: needed in the lanes that EXEC selects, and in others too. What is
written under EXEC ends the first; an EXEC that selects more lanes than before it was written turns the
first into the second. LDS and scratch are one
cell each: if any needed load reads one, all stores to it are needed. Global memory is looked at as it is
executed (:class:`wavesim.emulate.memory.Withheld`): stores are left out until a needed load meets an
allocation that they go to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wavesim.emulate.blocks import BlockMap, Exit
from wavesim.emulate.unknowable import LDS, SCRATCH, address_operands, memory_cells
from wavesim.isa.kinds import BRANCH_KINDS, MEMORY_KINDS, Kind
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.program import Instruction, Program, Special
from wavesim.program.dataflow import RegisterName, effects, reads_exec, registers_of
from wavesim.program.dpp import is_dpp

_EXEC: RegisterName = ("exec", 0)
_PAIRS = ("vcc", "exec")
_KEEP_HALF = ("d16", "v_mad_f16", "v_mad_u16", "v_mad_i16", "v_fma_f16", "v_div_fixup_f16")
"""Parts of the names of instructions that write half of a register and leave the other."""

_BY_REGISTER_NUMBER = ("s_movrel", "s_set_gpr_idx")
"""Instructions that name registers by a number in M0: what they read and write is not in the code."""

_IN_FULL = ("_format_", "addtid", "ds_append", "ds_consume", "s_setreg")
"""Parts of the names of instructions that are executed in full whoever needs their results: MODE changes
what others compute, and these memory instructions have no form for addresses alone."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Static instructions, by index, that are not executed in full.

    Attributes:
        left_out: computes only what nobody needs; not executed.
        addresses_only: memory instructions that move no data.
    """

    left_out: frozenset[int]
    addresses_only: frozenset[int]


@dataclass(frozen=True, slots=True)
class NotSliced:
    """Why a program must be executed in full."""

    why: str


@dataclass(frozen=True, slots=True)
class _Use:
    """One instruction; registers as bits, two for a vector register (module docstring)."""

    needed: int  # read whether or not its results are needed
    reads: int
    writes: int
    kills: int
    loads: frozenset[RegisterName]  # memory cells
    stores: frozenset[RegisterName]
    always: bool
    more_lanes: bool  # EXEC may select lanes that it did not


class _Bits:
    """Registers as bit numbers; vector registers have two, the lower one for the lanes of EXEC alone."""

    def __init__(self) -> None:
        self._numbers: dict[RegisterName, int] = {}
        self._next = 0
        self.selected = 0

    def of(self, names: Iterable[RegisterName], *, selected: bool = True, others: bool = True) -> int:
        value = 0
        for name in names:
            number = self._numbers.get(name)
            vector = name[0] in "va"
            if number is None:
                number = self._numbers[name] = self._next
                self._next += 1 + vector
                self.selected |= vector << number
            if vector:
                value |= (selected | others << 1) << number
            else:
                value |= 1 << number
        return value


def slice_program(
    program: Program,
    blocks: BlockMap,
    *,
    wanted: frozenset[int] = frozenset(),
    atomics: bool = False,
    private_buffers: bool = False,
) -> Slice | NotSliced:
    """The slice of ``program`` that its Trace needs.

    Args:
        program: the kernel.
        blocks: its blocks.
        wanted: instructions that are needed, such as stores to where loads were seen to read.
        atomics: all atomics are needed (waves watch memory).
        private_buffers: buffer instructions may access scratch.
    """
    reachable = blocks.reachable()
    for index in reachable:
        opcode = program.instructions[index].opcode
        if opcode.startswith(_BY_REGISTER_NUMBER):
            return NotSliced(f"{opcode} names registers by number")
    bits = _Bits()
    uses = {index: _use(program, index, bits, atomics, private_buffers) for index in reachable}
    cells: set[RegisterName] = set()
    while True:
        alive = _alive(blocks, uses, bits.selected, wanted, frozenset(cells))
        loaded = {cell for index in alive for cell in uses[index].loads} & {LDS, SCRATCH}
        if loaded <= cells:
            break
        cells |= loaded
    clocks = {index for index in reachable if "clock" in _flags(program, index)}
    if clocks & alive and clocks - alive:  # a wave's clock values are given in the order of all its reads
        wanted |= clocks
        return slice_program(program, blocks, wanted=wanted, atomics=atomics, private_buffers=private_buffers)
    rest = uses.keys() - alive
    addresses_only = {index for index in rest if blocks.code[index].kind in MEMORY_KINDS}
    left_out = {index for index in rest - addresses_only if uses[index].writes}
    return Slice(frozenset(left_out), frozenset(addresses_only))


def _use(program: Program, index: int, bits: _Bits, atomics: bool, private_buffers: bool) -> _Use:
    instruction = program.instructions[index]
    info = lookup(instruction.opcode, program.arch, instruction.span)
    kind = info.kind
    used = effects(instruction, program.arch)
    by_lane = _is_by_lane(info, instruction)
    needed: list[RegisterName] = []
    if kind in MEMORY_KINDS:
        if "lane_exchange" not in info.flags:
            for operand in address_operands(info, instruction):
                needed += registers_of(operand)
        needed += [name for name in used.reads if name[0] in ("m0", "exec")]
    elif kind in BRANCH_KINDS or kind is Kind.SMEM:
        needed += used.reads
    loads, stores = memory_cells(info, instruction)
    if info.format == "FLAT" or (info.format == "MUBUF" and private_buffers):
        loads = [*loads, LDS, SCRATCH] if loads else []
        stores = [*stores, LDS, SCRATCH] if stores else []
    always = any(word in instruction.opcode for word in _IN_FULL) or "cache" in info.flags
    always = always or (kind is Kind.SMEM and "clock" not in info.flags)
    always = always or (atomics and ("atomic" in info.flags or "atomic_lds" in info.flags))
    return _Use(
        bits.of(needed, others=False),
        bits.of(used.reads, others=not by_lane),
        bits.of(used.writes),
        bits.of(_overwritten(info, instruction, used.writes), others=kind is Kind.MFMA),
        frozenset(loads),
        frozenset(stores),
        always,
        _EXEC in used.writes and not _keeps_to_exec(instruction),
    )


def _flags(program: Program, index: int) -> frozenset[str]:
    return lookup(program.instructions[index].opcode, program.arch).flags


def _is_by_lane(info: OpcodeInfo, instruction: Instruction) -> bool:
    """Whether an active lane's result depends on no other lane's registers."""
    if not reads_exec(info) or is_dpp(instruction) or "lane_exchange" in info.flags:
        return False
    return "lane" not in instruction.opcode


def _overwritten(
    info: OpcodeInfo, instruction: Instruction, writes: frozenset[RegisterName]
) -> list[RegisterName]:
    """Registers of which nothing is left (in the lanes of EXEC, if it acts by lanes)."""
    if "preserves" in info.flags or is_dpp(instruction) or "writelane" in instruction.opcode:
        return []
    if any(part in instruction.opcode for part in _KEEP_HALF):
        return []
    if instruction.modifier("dst_sel") is not None or instruction.modifier("op_sel") is not None:
        return []
    halves = {
        name
        for operand in instruction.operands
        if isinstance(operand, Special) and operand.name not in _PAIRS
        for name in registers_of(operand)
        if name[0] in _PAIRS
    }
    return [name for name in writes if name not in halves]


def _keeps_to_exec(instruction: Instruction) -> bool:
    """Whether an instruction that writes EXEC leaves only lanes that were selected before."""
    opcode, sources = instruction.opcode, instruction.operands[1:]
    if opcode == "s_and_b64":
        return Special("exec") in sources
    if opcode == "s_andn2_b64":
        return sources[0] == Special("exec")
    return opcode.startswith("v_cmpx") or opcode in ("s_and_saveexec_b64", "s_andn1_saveexec_b64")


def _alive(
    blocks: BlockMap,
    uses: dict[int, _Use],
    selected: int,
    wanted: frozenset[int],
    cells: frozenset[RegisterName],
) -> set[int]:
    """The instructions that must be executed in full, if the memory ``cells`` are needed."""
    alive = {
        index
        for index, use in uses.items()
        if use.always or index in wanted or not cells.isdisjoint(use.stores)
    }
    starts = sorted(set(_starts(blocks, uses)), reverse=True)
    before: dict[int, int] = dict.fromkeys(starts, 0)
    anywhere = 0  # needed before any instruction: where an indirect jump may lead
    changed = True
    while changed:
        changed = False
        for start in starts:
            block = blocks.block_at(start)
            live = before.get(block.target, 0) if block.target >= 0 else 0
            if block.exit in (Exit.FALL, Exit.BRANCH, Exit.BARRIER):
                live |= before.get(block.stop, 0)
            elif block.exit is Exit.INDIRECT:
                live |= anywhere
            for index in range(block.stop - 1, start - 1, -1):
                use = uses[index]
                if use.more_lanes:
                    live |= (live & selected) << 1
                if live & use.writes or index in alive:
                    alive.add(index)
                    live = live & ~use.kills | use.reads
                live |= use.needed
                if live & ~anywhere:
                    anywhere |= live
                    changed = True
            if live != before[start]:
                before[start] = live
                changed = True
    return alive


def _starts(blocks: BlockMap, uses: dict[int, _Use]) -> Iterable[int]:
    """The first instructions of the reachable blocks."""
    at = 0
    indices = sorted(uses)
    while at < len(indices):
        start = indices[at]
        yield start
        at += len(blocks.block_at(start))
