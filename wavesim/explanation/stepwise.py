"""Stepwise waits: one strong wait split into weaker ones, each just before the line that needs its data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wavesim.checks.pending import Queue
from wavesim.explanation.candidates import STOPS, Candidate, Group, LoopCode, at, there, written
from wavesim.explanation.edits import Edit
from wavesim.program import Instruction, Waitcnt
from wavesim.trace import Kind
from wavesim.trace.code import COUNTER_MAX

STEPS = (1, 2, 4)
"""Counts are rounded down to multiples of these: fewer waits cost fewer slots."""

MOST_STEPS = 3
"""Steps that the advice says; the patch has all."""


def stepwise_waits(loop: LoopCode) -> Iterator[Candidate]:
    """Waits on one counter that stand, split; one candidate per step width that makes a difference."""
    for groups in loop.blocks:
        for number, group in enumerate(groups):
            entry = loop.code[group.first]
            one_counter = (entry.wait_vmcnt is None) != (entry.wait_lgkmcnt is None)
            if entry.kind is not Kind.WAIT or not one_counter or group.last - group.first > 1:
                continue
            if not loop.stalled_clk.get(group.first):
                continue
            seen = set()
            for step in STEPS:
                waits = _waits(loop, groups, number, step)
                if len(waits) > 1 and waits not in seen:
                    seen.add(waits)
                    yield _candidate(loop, group, waits)


def _waits(loop: LoopCode, groups: Sequence[Group], number: int, step: int) -> tuple[tuple[int, int], ...]:
    """(index before which, count) of the waits in place of the one of ``groups[number]``."""
    wait = groups[number].first
    entry = loop.code[wait]
    memory = entry.wait_vmcnt is not None
    least = entry.wait_vmcnt if memory else entry.wait_lgkmcnt
    queue = Queue.VMEM if memory else Queue.LDS
    pending = loop.relaxer.before.get(wait, {})
    if least is None or any(each.queue not in (Queue.VMEM, Queue.LDS) for each in pending.values()):
        return ()
    count = COUNTER_MAX["vmcnt" if memory else "lgkmcnt"] + 1
    found: list[tuple[int, int]] = []
    for group in groups[number + 1 :]:
        inside = range(group.first, group.last)
        ends = any(
            loop.code[index].kind in STOPS
            or (loop.code[index].vm_increment if memory else loop.code[index].lgkm_increment)
            for index in inside
        )
        touched = frozenset().union(
            *(loop.relaxer.effects[index].reads | loop.relaxer.effects[index].writes for index in inside)
        )
        ages = [each.age for register, each in pending.items() if register in touched and each.queue is queue]
        needed = least if ends else max(least, min(ages) // step * step) if ages else count
        if needed < count:
            found.append((group.first, needed))
            count = needed
        if ends or count == least:
            break
    if count > least:
        return ()
    return tuple(found)


def _candidate(loop: LoopCode, group: Group, waits: tuple[tuple[int, int], ...]) -> Candidate:
    old = loop.program.instructions[group.first]
    memory = loop.code[group.first].wait_vmcnt is not None
    name = "vmcnt" if memory else "lgkmcnt"
    before: dict[int, Sequence[Instruction]] = {}
    parts: list[str] = []
    spans = [group.span]
    for place, count in waits:
        operand = Waitcnt(count, None, None) if memory else Waitcnt(None, None, count)
        like = loop.program.instructions[place]
        before[place] = [replace(old, operands=(operand,), span=like.span, source=like.source)]
        span = like.span or group.span
        spans.append(span)
        parts.append(f"{name}({count}) before {there(span, group.span)}")
    if len(parts) > MOST_STEPS:
        parts = [*parts[: MOST_STEPS - 1], f"and so on to {parts[-1]}"]
    text = f"{at(group.span)}: wait step by step in place of {written(old)}: {', '.join(parts)}"
    edit = Edit(removed=frozenset({group.first}), before=before)
    return Candidate("split-wait", text, tuple(dict.fromkeys(spans)), edit, code_changes=True)
