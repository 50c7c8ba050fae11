"""Polling loops: which backward branches wait for another wave's store.

A loop polls if its body loads, stores nothing, passes no barrier, and whether it goes round again depends
on loaded values and on what the body does not change. Lane masks that gather which lanes are done may be
carried from pass to pass; counters may not (such a loop ends by itself).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wavesim.emulate.blocks import BlockMap
from wavesim.program import Program
from wavesim.program.dataflow import RegisterName, effects
from wavesim.trace.code import Kind

MAX_BODY = 64
"""Instructions of the longest loop that is looked at."""

_MASK_OPERATION = re.compile(r"s_(mov|and|or|xor|andn2|orn2|nand|nor|xnor)_(saveexec_)?b64$")
_LOADS = (Kind.LDS_READ, Kind.VMEM_LOAD, Kind.SMEM)
_FORBIDDEN = (Kind.LDS_WRITE, Kind.VMEM_STORE, Kind.BARRIER, Kind.ENDPGM)


@dataclass(frozen=True)
class Poll:
    """A polling loop: instructions ``first``..``last``, the last being the branch back."""

    first: int
    last: int


def find_polls(program: Program, blocks: BlockMap) -> dict[int, Poll]:
    """The polling loops of a program by their first instruction (the longest of one head)."""
    found: dict[int, Poll] = {}
    for branch, target in sorted(blocks.targets.items()):
        if target <= branch and branch - target < MAX_BODY and _polls(program, blocks, target, branch):
            found[target] = Poll(target, branch)
    return found


def _polls(program: Program, blocks: BlockMap, first: int, last: int) -> bool:
    body = range(first, last + 1)
    kinds = [blocks.code[index].kind for index in body]
    opcodes = [program.instructions[index].opcode for index in body]
    loads = [kind in _LOADS and "time" not in opcode for kind, opcode in zip(kinds, opcodes, strict=True)]
    if not any(loads) or any(kind in _FORBIDDEN for kind in kinds):
        return False
    if any("atomic" in opcode or "_rtn_" in opcode for opcode in opcodes):
        return False
    uses = [effects(program.instructions[index], program.arch) for index in body]
    needed: set[RegisterName] = set()
    for place, index in enumerate(body):
        inside = index in blocks.targets and first < blocks.targets[index] <= last
        if kinds[place] is Kind.COND_BRANCH and not inside:
            needed |= uses[place].reads
    has_load = False
    grown = True
    while grown:
        before = len(needed)
        for place, use in enumerate(uses):
            if use.writes & needed:
                needed |= use.reads
                has_load = has_load or loads[place]
        grown = len(needed) > before
    written: set[RegisterName] = set()
    carried: set[RegisterName] = set()
    everything = {name for use in uses for name in use.writes}
    for use in uses:
        carried |= (use.reads - written) & everything & needed
        written |= use.writes
    for place, use in enumerate(uses):
        if use.writes & carried and not _MASK_OPERATION.match(opcodes[place]):
            return False
    return has_load
