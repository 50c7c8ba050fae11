"""The part of a program that its stores come from: enough to see what other clocks make it store.

A microbenchmark is launched many times, and nothing but the clocks that it reads differs. What lies between
two clock reads sets the clocks and seldom what is stored. The part is found backwards from the stores; where
the clocks could change what the rest does (branches, addresses, LDS) there is none. Nor is there where some
of the part lies under a branch: what no branch goes round or back over is executed once, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wavesim.isa.kinds import BRANCH_KINDS, LDS_KINDS, LOAD_KINDS, Kind
from wavesim.isa.opcode_info import OpcodeInfo
from wavesim.isa.opcodes import lookup
from wavesim.pipeline.clocks import CLOCKS
from wavesim.program import Instruction, Program, Symbol
from wavesim.program.dataflow import Effects, RegisterName, effects

KEPT = frozenset((Kind.VMEM_STORE, Kind.BARRIER, Kind.ENDPGM))
BY_PLACE = ("s_setreg", "s_getpc", "s_set_gpr_idx", "s_rfe", "v_movrel", "s_movrel")
"""Beginnings of opcodes that change what later instructions do, or that know where they stand."""


def stored_part(program: Program) -> Program | None:
    """The part of ``program``; ``None`` where it cannot be told, or is most of it."""
    used = [effects(each, program.arch) for each in program.instructions]
    infos = [lookup(each.opcode, program.arch) for each in program.instructions]
    kinds = [Kind(info.kind) for info in infos]
    from_clock = _from_clock(program, used, infos)
    if from_clock is None or from_clock & {("exec", 0), ("m0", 0)}:
        return None
    branched = _branched(program, [place for place, kind in enumerate(kinds) if kind in BRANCH_KINDS])
    if branched is None:
        return None
    wanted: set[RegisterName] = {("exec", 0)}
    kept = []
    for place in reversed(range(len(program))):
        each, kind, uses = program.instructions[place], kinds[place], used[place]
        if each.opcode not in CLOCKS and kind not in KEPT and not uses.writes & wanted:
            continue
        if place in branched or kind in BRANCH_KINDS:
            return None
        if kind in LDS_KINDS:
            return None  # what LDS holds comes from the writes, which are left out
        wanted |= uses.reads
        kept.append(place)
    if 2 * len(kept) > len(program):
        return None
    kept.reverse()

    def of(column: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(column[place] for place in kept)

    return replace(
        program,
        instructions=tuple(program.instructions[place] for place in kept),
        labels={},
        addresses=of(program.addresses),
        sizes=of(program.sizes),
    )


def _from_clock(
    program: Program, used: Sequence[Effects], infos: Sequence[OpcodeInfo]
) -> set[RegisterName] | None:
    """The registers that the clocks reach; ``None`` if they, or what memory holds, could change the rest."""
    reached: set[RegisterName] = set()
    for each, info, uses in zip(program.instructions, infos, used, strict=True):
        if "atomic" in info.flags or each.opcode.startswith(BY_PLACE):
            return None
        if uses.reads & reached and Kind(info.kind) in LOAD_KINDS | LDS_KINDS | BRANCH_KINDS:
            return None
        if each.opcode in CLOCKS or uses.reads & reached:
            reached |= uses.writes
    return reached


def _branched(program: Program, branches: list[int]) -> frozenset[int] | None:
    """The places that a branch goes round or back over; ``None`` if it is not known where one goes."""
    found: set[int] = set()
    for place in branches:
        target = _target(program, program.instructions[place])
        if target is None:
            return None
        found |= set(range(min(place, target), max(place + 1, target)))
    return frozenset(found)


def _target(program: Program, branch: Instruction) -> int | None:
    names = [operand.name for operand in branch.operands if isinstance(operand, Symbol)]
    return program.labels.get(names[0]) if len(names) == 1 else None
