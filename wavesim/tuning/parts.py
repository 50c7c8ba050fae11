"""A schedule without one kind of its changes, so that it can be said what that kind is worth."""

from __future__ import annotations

from collections.abc import Sequence

from wavesim.program import Instruction, Waitcnt
from wavesim.tuning.schedule import Piece
from wavesim.tuning.variant import Variant


def unrotated(base: Variant, variant: Variant, order: Sequence[int]) -> list[int]:
    """An order of a loop that was rotated, or remade, as one of the loop as it was before: what ran a pass
    ahead comes first."""
    turn = variant.turned if variant.turned is not base.turned else None
    ahead = {base.origin[index] for index, _ in turn.s if index in base.origin} if turn is not None else set()
    number = {key: unit for unit, key in enumerate(_keys(base))}
    keys = _keys(variant)
    wish = sorted(range(len(order)), key=lambda place: (keys[order[place]] not in ahead, place))
    units = dict.fromkeys(number[keys[order[place]]] for place in wish if keys[order[place]] in number)
    wish = [*units, *sorted(set(range(len(base.as_it_is))) - set(units))]
    return base.scheduler.order.nearest(wish) or base.as_it_is


def _keys(variant: Variant) -> list[int]:
    """Of each unit what it was in the kernel as it is; ends of blocks, in their order, below 0."""
    found, ends = [], 0
    for unit, index in enumerate(variant.loop.operations):
        ends -= unit in variant.loop.ends
        found.append(ends if unit in variant.loop.ends else variant.origin[index])
    return found


def strong_waits(pieces: Sequence[Piece], own: Sequence[Piece]) -> list[Piece]:
    """The schedule with its waits as strong as the strongest of the kernel's own loop."""
    counts = [each.operands[0] for _, each in own if each.opcode == "s_waitcnt"]
    mine = [each for each in counts if isinstance(each, Waitcnt)]
    vm = min((each.vmcnt for each in mine if each.vmcnt is not None), default=None)
    lgkm = min((each.lgkmcnt for each in mine if each.lgkmcnt is not None), default=None)
    return [(index, _stronger(each, vm, lgkm)) for index, each in pieces]


def _stronger(instruction: Instruction, vm: int | None, lgkm: int | None) -> Instruction:
    operand = instruction.operands[0] if instruction.operands else None
    if instruction.opcode != "s_waitcnt" or not isinstance(operand, Waitcnt):
        return instruction
    stronger = Waitcnt(_least(operand.vmcnt, vm), operand.expcnt, _least(operand.lgkmcnt, lgkm))
    return Instruction("s_waitcnt", (stronger,))


def _least(count: int | None, other: int | None) -> int | None:
    return count if count is None or other is None else min(count, other)
