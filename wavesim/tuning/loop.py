"""The loop that is scheduled anew: one basic block that branches back to itself, and its passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.analyze.loops import find_loops
from wavesim.errors import SourceSpan, UserError
from wavesim.program import Program
from wavesim.trace import CodeEntry, Kind, Trace

Int64 = npt.NDArray[np.int64]

PLACED_ANEW = frozenset({Kind.WAIT, Kind.NOP})
"""What a schedule does not move but needs in other places: waits for counters, and wait states."""


@dataclass(frozen=True)
class LoopBlock:
    """A loop of straight code.

    Attributes:
        head, tail: static instructions of its first one and of the branch back.
        operations: static instructions that have a place in a schedule: all but the branch, waits and s_nop.
        passes: per wave the rows at which passes begin; each pass has ``tail - head + 1`` rows.
        label: the name of its head.
    """

    head: int
    tail: int
    operations: tuple[int, ...]
    passes: tuple[Int64, ...]
    label: str

    @property
    def length(self) -> int:
        """Static instructions, the branch included."""
        return self.tail - self.head + 1


def _names(program: Program) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for name, place in program.labels.items():
        names.setdefault(place, []).append(name)
    return names


def blocks_of(trace: Trace) -> Iterator[LoopBlock]:
    """The loops of one basic block that the waves execute, that with most executed instructions first."""
    program, code = trace.program, trace.code
    names = _names(program)
    jumps = (Kind.BRANCH, Kind.COND_BRANCH, Kind.ENDPGM)
    found = []
    for loop in find_loops(trace, [len(wave) for wave in trace.waves]):
        inside = range(loop.head, loop.tail)
        if any(code[index].kind in jumps for index in inside) or any(index + 1 in names for index in inside):
            continue
        if loop.closing != {loop.tail}:
            continue
        length = loop.tail - loop.head + 1
        passes = []
        for wave in trace.waves:
            starts = np.flatnonzero(wave.code == loop.head).astype(np.int64)
            passes.append(starts[starts + length <= len(wave)])
        operations = tuple(index for index in inside if code[index].kind not in PLACED_ANEW)
        label = names.get(loop.head, [f"instruction {loop.head}"])[0]
        found.append(LoopBlock(loop.head, loop.tail, operations, tuple(passes), label))
    found.sort(key=lambda each: (-each.length * sum(map(len, each.passes)), each.head))
    yield from found


def chosen_block(trace: Trace, label: str | None, span: SourceSpan | None = None) -> LoopBlock:
    """The loop with that label; the one with most executed instructions where none is named.

    Raises:
        UserError: no such loop, or none that is one basic block.
    """
    blocks = list(blocks_of(trace))
    named = ", ".join(each.label for each in blocks)
    if label is not None:
        for each in blocks:
            if label in _names(trace.program).get(each.head, ()):
                return each
        hint = f"loops that can be scheduled: {named}" if named else "there is none in this kernel"
        raise UserError(f"no loop of straight code at {label!r}", span, hint)
    if not blocks:
        raise UserError(
            "nothing here may change: no loop of straight code was executed",
            span,
            "a schedule is found for a loop whose body is one basic block",
        )
    return blocks[0]


def entries_of(block: LoopBlock, code: tuple[CodeEntry, ...]) -> tuple[CodeEntry, ...]:
    """What timing needs of its operations, in program order."""
    return tuple(code[index] for index in block.operations)
