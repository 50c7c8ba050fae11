"""Candidates for advice: edits of a program that could make its loop faster, each with its lines.

Nothing here is advice yet: :mod:`wavesim.explanation.advice` tries each candidate and checks it first.
A line of a tile program becomes several instructions; they are changed or moved together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wavesim.analyze.stalls import issued_rows
from wavesim.checks.relaxing import NOT_WAITED, WaitRelaxer, with_count
from wavesim.checks.waits import span_of
from wavesim.errors import SourceSpan
from wavesim.explanation.edits import Edit
from wavesim.explanation.main_loop import Steady
from wavesim.isa.kinds import BRANCH_KINDS, LDS_KINDS, MEMORY_KINDS, VMEM_KINDS
from wavesim.program import Immediate, Instruction, Program, Waitcnt
from wavesim.trace import CodeEntry, Kind, Reason, Timeline
from wavesim.trace.relaid import block_starts

if TYPE_CHECKING:
    from wavesim.checks.strong_waits import StrongWait

STOPS = BRANCH_KINDS | {Kind.WAIT, Kind.BARRIER, Kind.ENDPGM}
"""What nothing is moved past."""
_MEMORY = MEMORY_KINDS | {Kind.SMEM}
MOST_HOISTED = 48
"""Loads whose hoisting is tried, evenly spaced: an unrolled loop has hundreds of the same kind."""


@dataclass(frozen=True)
class Candidate:
    """``kind`` names the sort of advice, ``text`` says what to do, ``spans`` are the lines it is about.

    ``needs_order``: LDS accesses must stay ordered; ``waits_moved``: the code must be checked again.
    """

    kind: str
    text: str
    spans: tuple[SourceSpan, ...]
    edit: Edit
    needs_order: bool = False
    code_changes: bool = False


@dataclass(frozen=True)
class Group:
    """Neighbouring instructions of one source line in one basic block: [first, last)."""

    first: int
    last: int
    span: SourceSpan


@dataclass(frozen=True)
class LoopCode:
    """The main loop's static instructions, in groups, with the waits' clocks."""

    program: Program
    code: tuple[CodeEntry, ...]
    relaxer: WaitRelaxer
    blocks: tuple[tuple[Group, ...], ...]
    stalled_clk: dict[int, int]

    @classmethod
    def of(cls, timeline: Timeline, relaxer: WaitRelaxer, steady: Steady) -> LoopCode:
        """The blocks that the waves execute in the main loop (all of the program where there is none)."""
        trace = timeline.trace
        executed: set[int] = set()
        stalled: dict[int, int] = {}
        for position, wave in enumerate(timeline.waves):
            first, last = 0, issued_rows(wave)
            run = steady.runs[position]
            if run is not None and len(run.head_rows) > 1:
                first, last = int(run.head_rows[-2]), int(run.head_rows[-1])
            code = trace.waves[position].code
            executed.update(np.unique(code[first:last]).tolist())
            low, high = np.searchsorted(wave.stall_row, (first, last))
            for number in range(int(low), int(high)):
                if wave.stall_reason[number] in (Reason.LGKMCNT, Reason.VMCNT, Reason.BARRIER):
                    index = int(code[wave.stall_row[number]])
                    stalled[index] = stalled.get(index, 0) + int(wave.stall_clk[number])
        blocks = []
        starts = block_starts(trace.program, trace.code)
        for first, last in zip(starts, [*starts[1:], len(trace.program)], strict=True):
            if first in executed:
                blocks.append(tuple(_groups(trace.program, first, last)))
        return cls(trace.program, trace.code, relaxer, tuple(blocks), stalled)


def _groups(program: Program, first: int, last: int) -> Iterator[Group]:
    start = first
    for index in range(first + 1, last + 1):
        span = span_of(program, start)
        if index == last or span_of(program, index) != span or not span.line:
            yield Group(start, index, span)
            start = index


def at(span: SourceSpan) -> str:
    """A place without its column: lines are what a person looks for."""
    place = f"{span.file}:{span.line}" if span.line else span.file
    return f"{place} ({span.source.file}:{span.source.line})" if span.source is not None else place


def there(span: SourceSpan, beside: SourceSpan) -> str:
    """A place in a sentence that has named the file already, if it is in the same one."""
    return f"line {span.line}" if span.line and span.file == beside.file else at(span)


def candidates(loop: LoopCode, strong: Sequence[StrongWait]) -> Iterator[Candidate]:
    """All candidates, in a fixed order."""
    yield from relaxed_waits(loop, strong)
    yield from moved_waits(loop)
    yield from moved_barriers(loop)
    yield from removed_barriers(loop)
    yield from priorities(loop)
    hoisted = list(hoisted_loads(loop))
    yield from hoisted[:: -(-len(hoisted) // MOST_HOISTED) or 1]


def relaxed_waits(loop: LoopCode, strong: Sequence[StrongWait]) -> Iterator[Candidate]:
    """Waits that could leave more outstanding, to their largest safe counts."""
    for each in strong:
        changed = {}
        removed = set()
        for wait in each.waits:
            entry = loop.code[wait]
            for counter, count in each.counts.items():
                entry = with_count(entry, counter, count)
            if entry.wait_vmcnt is None and entry.wait_lgkmcnt is None:
                removed.add(wait)
            else:
                changed[wait] = _wait(loop.program.instructions[wait], entry)
        span = span_of(loop.program, each.waits[0])
        old = written(loop.program.instructions[each.waits[0]])
        new = written(changed[each.waits[0]]) if each.waits[0] in changed else ""
        weaker = ", ".join(
            f"{name}({count})" if count < NOT_WAITED else f"no {name}" for name, count in each.counts.items()
        )
        what = f"write {new} in place of {old}" if new else f"leave {old} out"
        text = f"{at(span)}: {what}: {weaker} is enough"
        yield Candidate("relax-wait", text, (span,), Edit(changed, frozenset(removed)))


def _wait(instruction: Instruction, entry: CodeEntry) -> Instruction:
    operand = Waitcnt(entry.wait_vmcnt, None, entry.wait_lgkmcnt)
    return Instruction(instruction.opcode, (operand,), span=instruction.span, source=instruction.source)


def written(instruction: Instruction) -> str:
    """The instruction as text, without modifiers."""
    return " ".join([instruction.opcode, *(str(operand) for operand in instruction.operands)])


def moved_waits(loop: LoopCode) -> Iterator[Candidate]:
    """Waits that stand, moved behind what does not need their data."""
    for groups in loop.blocks:
        for number, group in enumerate(groups):
            wait = group.first
            if loop.code[wait].kind is not Kind.WAIT or not loop.stalled_clk.get(wait):
                continue
            if group.last - group.first > 1 or wait not in loop.relaxer.before:
                continue
            place = _furthest(loop, groups, number)
            if place is None:
                continue
            passed = range(wait + 1, place.last)
            mfmas = sum(loop.code[index].kind is Kind.MFMA for index in passed)
            behind = f"behind {there(place.span, group.span)}"
            count = f" ({mfmas} MFMAs later)" if mfmas else ""
            text = f"{at(group.span)}: move {written(loop.program.instructions[wait])} {behind}{count}"
            edit = Edit(order={wait: place.last - 1})
            yield Candidate("move-wait", text, (group.span, place.span), edit, code_changes=True)


def _furthest(loop: LoopCode, groups: Sequence[Group], number: int) -> Group | None:
    """The last group that may come before the wait: none of its registers, waits, barriers or LDS order."""
    wait = groups[number].first
    pending = set(loop.relaxer.before[wait])
    after = set(loop.relaxer.before.get(wait + 1, {}))
    needed = pending - after
    if not needed:
        return None
    found = None
    for group in groups[number + 1 :]:
        for index in range(group.first, group.last):
            entry, used = loop.code[index], loop.relaxer.effects[index]
            if entry.kind in STOPS:
                return found
            if needed & (used.reads | used.writes) or entry.lgkm_increment or entry.vm_increment:
                return found
        found = group
    return found


def moved_barriers(loop: LoopCode) -> Iterator[Candidate]:
    """A barrier that stands, with the waits right before it, moved behind what touches no memory.

    Every access keeps its side of the barrier, so no order between waves changes.
    """
    for groups in loop.blocks:
        for number, group in enumerate(groups):
            if loop.code[group.first].kind is not Kind.BARRIER or group.last - group.first > 1:
                continue
            moved = [group.first]
            for before in reversed(groups[:number]):
                if loop.code[before.first].kind is not Kind.WAIT or before.last - before.first > 1:
                    break
                moved.insert(0, before.first)
            if not any(loop.stalled_clk.get(index) for index in moved):
                continue
            place = _behind_arithmetic(loop, groups, number, moved)
            if place is None:
                continue
            names = " and ".join(written(loop.program.instructions[index]) for index in moved)
            passed = place.last - 1 - group.first
            what = f"move {names} behind {there(place.span, group.span)} ({passed} instructions later)"
            spans = (*(span_of(loop.program, index) for index in moved), place.span)
            edit = Edit(order=dict.fromkeys(moved, place.last - 1))
            yield Candidate("move-barrier", f"{at(spans[0])}: {what}", spans, edit, code_changes=True)


def _behind_arithmetic(
    loop: LoopCode, groups: Sequence[Group], number: int, moved: Sequence[int]
) -> Group | None:
    """The last group that may come before the barrier: no memory access, no wait, none of its data."""
    needed: set[object] = set()
    for index in moved[:-1]:
        pending = loop.relaxer.before.get(index, {})
        needed |= set(pending) - set(loop.relaxer.before.get(index + 1, {}))
    ends = STOPS | _MEMORY | {Kind.SETPRIO}
    found = None
    for group in groups[number + 1 :]:
        for index in range(group.first, group.last):
            entry, used = loop.code[index], loop.relaxer.effects[index]
            if entry.kind in ends or entry.lgkm_increment or entry.vm_increment:
                return found
            if needed & (used.reads | used.writes):
                return found
        found = group
    return found


def removed_barriers(loop: LoopCode) -> Iterator[Candidate]:
    """Each barrier of the loop, left out wherever its line became one."""
    seen = set()
    for groups in loop.blocks:
        for group in groups:
            if loop.code[group.first].kind is not Kind.BARRIER or group.span in seen:
                continue
            seen.add(group.span)
            same = frozenset(
                index
                for index, entry in enumerate(loop.code)
                if entry.kind is Kind.BARRIER
                and (span_of(loop.program, index) == group.span if group.span.line else index == group.first)
            )
            text = f"{at(group.span)}: leave this barrier out: no LDS access of this launch needs it"
            yield Candidate("remove-barrier", text, (group.span,), Edit(removed=same), needs_order=True)


def priorities(loop: LoopCode) -> Iterator[Candidate]:
    """All s_setprio left out, or turned round; with none: MFMAs of the loop at priority 1."""
    setprio = [index for index, entry in enumerate(loop.code) if entry.kind is Kind.SETPRIO]
    if setprio:
        spans = tuple(dict.fromkeys(span_of(loop.program, index) for index in setprio))
        lines = ", ".join(there(span, spans[0]) if number else at(span) for number, span in enumerate(spans))
        yield Candidate("priority", f"{lines}: leave s_setprio out", spans, Edit(removed=frozenset(setprio)))
        highest = max(loop.code[index].priority for index in setprio)
        turned = {
            index: _setprio(highest - loop.code[index].priority, loop.program.instructions[index])
            for index in setprio
        }
        text = f"{lines}: turn s_setprio round (n becomes {highest} - n)"
        yield Candidate("priority", text, spans, Edit(turned))
        return
    for level, kinds, what in (
        (1, {Kind.MFMA}, "MFMAs"),
        (1, LDS_KINDS, "LDS accesses"),
        (1, {Kind.VMEM_LOAD}, "global loads"),
    ):
        before: dict[int, list[Instruction]] = {}
        spans_: list[SourceSpan] = []
        for groups in loop.blocks:
            inside = [
                index
                for group in groups
                for index in range(group.first, group.last)
                if loop.code[index].kind in kinds
            ]
            if not inside or inside[-1] + 1 >= len(loop.code):
                continue
            first, last = inside[0], inside[-1] + 1
            if last >= groups[-1].last:
                continue
            source = loop.program.instructions[first]
            before.setdefault(first, []).append(_setprio(level, source))
            before.setdefault(last, []).insert(0, _setprio(0, loop.program.instructions[last - 1]))
            spans_ += [span_of(loop.program, first), span_of(loop.program, last - 1)]
        if before:
            text = (
                f"raise the loop's {what}: s_setprio {level} before {at(spans_[0])}, "
                f"s_setprio 0 behind {there(spans_[1], spans_[0])}"
            )
            yield Candidate("priority", text, tuple(dict.fromkeys(spans_)), Edit(before=before))


def _setprio(level: int, like: Instruction) -> Instruction:
    return Instruction("s_setprio", (Immediate(level),), span=like.span, source=like.source)


def hoisted_loads(loop: LoopCode) -> Iterator[Candidate]:
    """Global loads of one line, moved up past what they do not depend on."""
    for groups in loop.blocks:
        for number, group in enumerate(groups):
            kinds = {loop.code[index].kind for index in range(group.first, group.last)}
            if Kind.VMEM_LOAD not in kinds:
                continue
            place = _earliest(loop, groups, number)
            if place is None:
                continue
            text = f"{at(group.span)}: issue these global loads before {there(place.span, group.span)}"
            order = dict.fromkeys(range(group.first, group.last), ~place.first)
            edit = Edit(order=order)
            yield Candidate("hoist-load", text, (group.span, place.span), edit, code_changes=True)


def _earliest(loop: LoopCode, groups: Sequence[Group], number: int) -> Group | None:
    """The first group that the loads may overtake: no common register, no wait for loads, no branch."""
    moved = [loop.relaxer.effects[index] for index in range(groups[number].first, groups[number].last)]
    reads = frozenset().union(*(used.reads for used in moved))
    writes = frozenset().union(*(used.writes for used in moved))
    found = None
    for group in reversed(groups[:number]):
        for index in range(group.first, group.last):
            entry, used = loop.code[index], loop.relaxer.effects[index]
            if entry.kind in BRANCH_KINDS | VMEM_KINDS:
                return found
            if entry.wait_vmcnt is not None:
                return found
            if used.writes & (reads | writes) or used.reads & writes:
                return found
        found = group
    return found
