"""What a schedule changed, in plain words: operations that moved, barriers passed, waits, wait states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from wavesim.asm.printer import print_instruction
from wavesim.isa.kinds import Kind
from wavesim.program import Immediate, Instruction
from wavesim.trace import CodeEntry
from wavesim.tuning.schedule import Piece

MOST_MOVED = 5
"""Operations that are named."""

_LOADS = (Kind.VMEM_LOAD, Kind.SMEM)
_NAMES = {
    Kind.MFMA: "MFMA",
    Kind.LDS_READ: "LDS reads",
    Kind.LDS_WRITE: "LDS writes",
    Kind.VMEM_LOAD: "global loads",
    Kind.VMEM_STORE: "global stores",
    Kind.SMEM: "scalar loads",
    Kind.BARRIER: "barriers",
}


def kinds_said(kinds: Sequence[Kind]) -> str:
    """``12 LDS reads, 4 global loads and 3 others``: what operations these are."""
    counts = Counter(_NAMES.get(kind, "others") for kind in kinds)
    named = [f"{counts[name]} {name}" for name in (*_NAMES.values(), "others") if counts[name]]
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else "".join(named)


def changed(
    before: Sequence[Piece], after: Sequence[Piece], code: Sequence[CodeEntry], origin: Mapping[int, int]
) -> tuple[str, ...]:
    """What is different in the loop, one statement a line.

    Args:
        before: the loop as it was.
        after: the loop as it is scheduled; its indices are those of ``origin``.
        code: static instructions of the kernel as it was.
        origin: of each index of ``after`` the static instruction of the kernel as it was; -1: none.
    """
    known = set(origin.values())
    old = [index for index, _ in before if index in known]
    moving = [origin[index] for index, _ in after if origin.get(index, -1) >= 0]
    place = {index: number for number, index in enumerate(old)}
    now = {index: number for number, index in enumerate(moving)}
    return (
        *_passed(place, now, code),
        *_moved(place, now, code),
        *_waits([each for _, each in before], [each for _, each in after]),
        *_states([each for _, each in before], [each for _, each in after]),
    )


def _passed(place: dict[int, int], now: dict[int, int], code: Sequence[CodeEntry]) -> Iterator[str]:
    barriers = [index for index in place if code[index].kind is Kind.BARRIER]
    for number, barrier in enumerate(barriers, start=1):
        later = [n for n in now if place[n] < place[barrier] and now[n] > now[barrier]]
        earlier = [n for n in now if place[n] > place[barrier] and now[n] < now[barrier]]
        said = []
        if earlier:
            said.append(f"{kinds_said([code[n].kind for n in earlier])} come before it now")
        if later:
            said.append(f"{kinds_said([code[n].kind for n in later])} come behind it now")
        if said:
            yield f"barrier {number} of {len(barriers)}: {'; '.join(said)}"


def _moved(place: dict[int, int], now: dict[int, int], code: Sequence[CodeEntry]) -> Iterator[str]:
    far = sorted(now, key=lambda n: (-abs(now[n] - place[n]), place[n]))
    far = [n for n in far if code[n].kind is not Kind.BARRIER and now[n] != place[n]]
    for index in far[:MOST_MOVED]:
        text = print_instruction(code[index].instruction)
        yield f"{text}: from place {place[index] + 1} to {now[index] + 1} of {len(now)}"
    if len(far) > MOST_MOVED:
        yield f"{len(far) - MOST_MOVED} more have another place"


def _waits(before: Sequence[Instruction], after: Sequence[Instruction]) -> Iterator[str]:
    old, new = (
        [str(each.operands[0]) for each in every if each.opcode == "s_waitcnt"] for every in (before, after)
    )
    if Counter(old) != Counter(new):
        yield f"waits: {_listed(old)} before; {_listed(new)} now"


def _listed(waits: Sequence[str]) -> str:
    counts = Counter(waits)
    said = [f"{counts[text]} x {text}" if counts[text] > 1 else text for text in sorted(counts)]
    return ", ".join(said) or "none"


def _states(before: Sequence[Instruction], after: Sequence[Instruction]) -> Iterator[str]:
    old, new = (sum(_slots(each) for each in every) for every in (before, after))
    if old != new:
        yield f"wait states by s_nop: {old} before, {new} now"
    raised = sum(each.opcode == "s_setprio" for each in after) - sum(
        each.opcode == "s_setprio" for each in before
    )
    if raised:
        yield f"{raised} s_setprio put in round runs of MFMA"


def _slots(instruction: Instruction) -> int:
    operand = instruction.operands[0] if instruction.operands else None
    return int(operand.value) + 1 if instruction.opcode == "s_nop" and isinstance(operand, Immediate) else 0
