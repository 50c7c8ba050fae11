"""Polling loops: which backward branches wait for another wave's store.

A loop polls if its body loads, stores nothing, passes no barrier, and whether it goes round again depends
on loaded values and on what the body does not change. Lane masks that gather which lanes are done may be
carried from pass to pass; counters may not (such a loop ends by itself).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wavesim.emulate.blocks import BlockMap
from wavesim.isa.kinds import LOAD_KINDS, Kind
from wavesim.program import Instruction, Program
from wavesim.program.dataflow import RegisterName, effects

MAX_BODY = 64
"""Instructions of the longest loop that is looked at."""

_MASK_OPERATION = re.compile(r"s_(mov|and|or|xor|andn2|orn2|nand|nor|xnor)_(saveexec_)?b64$")
_CACHE_CONTROL = ("buffer_inv", "buffer_wb")
_FORBIDDEN = (Kind.LDS_WRITE, Kind.VMEM_STORE, Kind.BARRIER, Kind.ENDPGM)


@dataclass(frozen=True)
class Poll:
    """A polling loop: instructions ``first``..``last``, the last being the branch back; ``loads`` are those
    whose values decide about another pass."""

    first: int
    last: int
    loads: tuple[int, ...] = ()


def find_polls(program: Program, blocks: BlockMap, *, cache_control: bool = False) -> dict[int, Poll]:
    """The polling loops of a program by their first instruction (the longest of one head).

    ``cache_control``: those too that invalidate or write back caches in each pass."""
    found: dict[int, Poll] = {}
    for branch, target in sorted(blocks.targets.items()):
        if target <= branch and branch - target < MAX_BODY:
            loads = _polling_loads(program, blocks, target, branch, cache_control)
            if loads:
                found[target] = Poll(target, branch, loads)
    return found


def flag_loads(program: Program, blocks: BlockMap) -> frozenset[int]:
    """Instructions that read what waves tell each other by: the loads of polling loops, the same loads just
    before them (compilers take the first pass out of the loop), and atomics that return a value."""
    found = {
        index
        for index, instruction in enumerate(program.instructions)
        if _returns(blocks.code[index].kind, instruction.opcode)
    }
    for poll in find_polls(program, blocks, cache_control=True).values():
        found |= set(poll.loads)
        wanted = {_what(program.instructions[index]) for index in poll.loads}
        before = range(max(0, poll.first - MAX_BODY), poll.first)
        found |= {index for index in before if _what(program.instructions[index]) in wanted}
    return frozenset(found)


def _returns(kind: Kind, opcode: str) -> bool:
    return kind in LOAD_KINDS and ("atomic" in opcode or "_rtn_" in opcode)


def _what(instruction: Instruction) -> tuple[str, ...]:
    """What a load reads: its opcode, its operands without the destination, and its modifiers."""
    operands = (str(each) for each in instruction.operands[1:])
    return (instruction.opcode, *operands, *(f"{name}={value}" for name, value in instruction.modifiers))


def _polling_loads(
    program: Program, blocks: BlockMap, first: int, last: int, cache_control: bool
) -> tuple[int, ...]:
    """The loads that decide about another pass; none where the loop does not poll."""
    body = range(first, last + 1)
    kinds = [blocks.code[index].kind for index in body]
    opcodes = [program.instructions[index].opcode for index in body]
    loads = [kind in LOAD_KINDS and "time" not in opcode for kind, opcode in zip(kinds, opcodes, strict=True)]
    stores = [
        kind in _FORBIDDEN and not (cache_control and opcode.startswith(_CACHE_CONTROL))
        for kind, opcode in zip(kinds, opcodes, strict=True)
    ]
    if not any(loads) or any(stores):
        return ()
    if any("atomic" in opcode or "_rtn_" in opcode for opcode in opcodes):
        return ()
    uses = [effects(program.instructions[index], program.arch) for index in body]
    needed: set[RegisterName] = set()
    for place, index in enumerate(body):
        inside = index in blocks.targets and first < blocks.targets[index] <= last
        if kinds[place] is Kind.COND_BRANCH and not inside:
            needed |= uses[place].reads
    deciding: set[int] = set()
    grown = True
    while grown:
        before = len(needed)
        for place, use in enumerate(uses):
            if use.writes & needed:
                needed |= use.reads
                if loads[place]:
                    deciding.add(first + place)
        grown = len(needed) > before
    written: set[RegisterName] = set()
    carried: set[RegisterName] = set()
    everything = {name for use in uses for name in use.writes}
    for use in uses:
        carried |= (use.reads - written) & everything & needed
        written |= use.writes
    for place, use in enumerate(uses):
        if use.writes & carried and not _MASK_OPERATION.match(opcodes[place]):
            return ()
    return tuple(sorted(deciding))
