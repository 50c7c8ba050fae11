"""Gives virtual registers real ones: lasting values get their own, the preamble's temporaries share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from wavesim.front.tile.emitter import FIRST_VIRTUAL, Item, Label, Raw
from wavesim.program import Instruction, Operand, Register
from wavesim.program.operands import RegisterFile


@dataclass(frozen=True, slots=True)
class Allocation:
    """``place``: virtual range -> real first index. ``used``: registers of each file, from 0 up."""

    place: Mapping[tuple[str, int], int]
    used: Mapping[str, int]


def registers_in(item: Item) -> Iterator[Register]:
    """The registers an instruction names (operand modifiers are not used by the lowerer)."""
    instruction = item.instruction if isinstance(item, Raw) else item
    if not isinstance(instruction, Label):
        for operand in instruction.operands:
            if isinstance(operand, Register):
                yield operand


def allocate(
    ranges: Iterable[Register], preamble: list[Item], body: list[Item], first_free: Mapping[str, int]
) -> Allocation:
    """Places every virtual range.

    Args:
        ranges: all virtual ranges that were made.
        preamble: straight-line code before the body.
        body: the rest; a range that it names keeps its register for good.
        first_free: by file, the first real register that is not taken. VGPRs below it (from 1) hold
            fragments and accumulators, which are not live in the preamble: its temporaries use them.
    """
    owner: dict[tuple[str, int], Register] = {}
    for each in ranges:
        for index in range(each.index, each.index + each.count):
            owner[each.file, index] = each
    lasting: dict[Register, None] = {}
    for item in body:
        for register in registers_in(item):
            if register.index >= FIRST_VIRTUAL:
                lasting.setdefault(owner[register.file, register.index])
    place: dict[tuple[str, int], int] = {}
    used = dict(first_free)
    for each in lasting:
        start = -(-used[each.file] // each.count) * each.count
        place[each.file, each.index] = start
        used[each.file] = start + each.count
    _place_temporaries(owner, set(lasting), preamble, first_free, used, place)
    return Allocation(place, used)


def _place_temporaries(
    owner: Mapping[tuple[str, int], Register],
    lasting: set[Register],
    preamble: list[Item],
    first_free: Mapping[str, int],
    used: dict[str, int],
    place: dict[tuple[str, int], int],
) -> None:
    """Linear scan over the preamble: a temporary gives its registers back after its last use."""
    last: dict[Register, int] = {}
    for position, item in enumerate(preamble):
        for register in registers_in(item):
            if register.index >= FIRST_VIRTUAL:
                last[owner[register.file, register.index]] = position
    free: dict[RegisterFile, list[int]] = {"v": list(range(first_free["v"] - 1, 0, -1)), "s": []}
    live: list[Register] = []
    for position, item in enumerate(preamble):
        named = [
            owner[register.file, register.index]
            for register in registers_in(item)
            if register.index >= FIRST_VIRTUAL
        ]
        for each in named:
            key = (each.file, each.index)
            if each in lasting or key in place:
                continue
            if each.count == 1 and free[each.file]:
                place[key] = free[each.file].pop()
            else:
                start = -(-used[each.file] // each.count) * each.count
                place[key] = start
                used[each.file] = start + each.count
            live.append(each)
        for each in [each for each in live if last[each] <= position]:
            live.remove(each)
            start = place[each.file, each.index]
            free[each.file].extend(range(start + each.count - 1, start - 1, -1))


def rewrite(instruction: Instruction, ranges: Mapping[tuple[str, int], int]) -> Instruction:
    """``instruction`` with real registers; ``ranges`` maps every single virtual register."""
    operands: list[Operand] = []
    changed = False
    for operand in instruction.operands:
        if isinstance(operand, Register) and operand.index >= FIRST_VIRTUAL:
            operands.append(Register(operand.file, ranges[operand.file, operand.index], operand.count))
            changed = True
        else:
            operands.append(operand)
    return replace(instruction, operands=tuple(operands)) if changed else instruction


def single_registers(ranges: Iterable[Register], allocation: Allocation) -> dict[tuple[str, int], int]:
    """Every single virtual register -> its real one."""
    found: dict[tuple[str, int], int] = {}
    for each in ranges:
        start = allocation.place.get((each.file, each.index))
        if start is not None:
            for offset in range(each.count):
                found[each.file, each.index + offset] = start + offset
    return found
