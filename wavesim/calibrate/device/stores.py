"""The part of a straight program that its stores come from: enough to see what other clocks make it store.

A microbenchmark is launched many times, and nothing but the clocks that it reads differs. What lies between
two clock reads sets the clocks and seldom what is stored. The part is found backwards from the stores; where
the clocks could change what the rest does (branches, addresses, LDS) there is none.
"""

from __future__ import annotations

from dataclasses import replace

from wavesim.isa.kinds import BRANCH_KINDS, LDS_KINDS, LOAD_KINDS, Kind
from wavesim.isa.opcodes import lookup
from wavesim.pipeline.clocks import CLOCKS
from wavesim.program import Program
from wavesim.program.dataflow import RegisterName, effects

KEPT = frozenset((Kind.VMEM_STORE, Kind.BARRIER, Kind.ENDPGM))
BY_PLACE = ("s_setreg", "s_getpc", "s_set_gpr_idx", "s_rfe", "v_movrel", "s_movrel")
"""Beginnings of opcodes that change what later instructions do, or that know where they stand."""


def stored_part(program: Program) -> Program | None:
    """The part of ``program``; ``None`` where it cannot be told, or is most of it."""
    used = [effects(each, program.arch) for each in program.instructions]
    infos = [lookup(each.opcode, program.arch) for each in program.instructions]
    kinds = [Kind(info.kind) for info in infos]
    from_clock: set[RegisterName] = set()
    for each, info, kind, uses in zip(program.instructions, infos, kinds, used, strict=True):
        if kind in BRANCH_KINDS or "atomic" in info.flags or each.opcode.startswith(BY_PLACE):
            return None
        if uses.reads & from_clock and kind in LOAD_KINDS | LDS_KINDS:
            return None
        if each.opcode in CLOCKS or uses.reads & from_clock:
            from_clock |= uses.writes
    if from_clock & {("exec", 0), ("m0", 0)}:
        return None
    wanted: set[RegisterName] = {("exec", 0)}
    kept = []
    for place in reversed(range(len(program))):
        each, kind, uses = program.instructions[place], kinds[place], used[place]
        if each.opcode not in CLOCKS and kind not in KEPT and not uses.writes & wanted:
            continue
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
