"""Rules missing-wait and wait-too-strong: registers used before their load returned, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.check.cfg import ControlFlow
from wavesim.check.pending import Outstanding, Queue, RegisterKey, State
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Program, Severity
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Kind

LARGEST_COUNT = {"lgkmcnt": 15, "vmcnt": 63}
"""What a wait can ask for (CDNA3 ISA §4.4: 4 and 6 bits)."""

COUNTER_OF_QUEUE = {Queue.LDS: "lgkmcnt", Queue.SMEM: "lgkmcnt", Queue.VMEM: "vmcnt"}


def register_text(register: RegisterKey) -> str:
    """``("v", 3)`` as ``v3``; special registers by name."""
    file, index = register
    return f"{file}{index}" if file in ("v", "s", "a") else file


def span_of(program: Program, index: int) -> SourceSpan:
    """The place of instruction ``index``; the file as a whole where it has none."""
    return program.instructions[index].span or SourceSpan(program.file)


def missing_waits(
    program: Program,
    code: tuple[CodeEntry, ...],
    effects: tuple[Effects, ...],
    before: dict[int, State],
) -> Iterator[Finding]:
    """One finding per load and first use that may come before its data, in program order.

    Loads that one source line makes and another one uses (a tile program's fragment) are one finding.
    """
    seen: set[tuple[int, str]] = set()
    groups: dict[tuple[SourceSpan, SourceSpan, str], list[tuple[int, RegisterKey, Outstanding]]] = {}
    for index in sorted(before):
        state = before[index]
        if not state or code[index].kind is Kind.WAIT:
            continue
        for register, hazard in _uses(state, effects[index]):
            pending = state[register]
            if hazard == "overwrites" and _returns_in_order(pending, code[index]):
                continue  # both results arrive in order: the later one stays
            key = (pending.load, hazard)
            if key in seen:
                continue
            seen.add(key)
            lines = (span_of(program, index), span_of(program, pending.load), hazard)
            groups.setdefault(lines, []).append((index, register, pending))
    for (_, _, hazard), members in groups.items():
        strictest = min(members, key=lambda member: (member[2].queue is not Queue.SMEM, member[2].age))
        count = 0 if strictest[2].queue is Queue.SMEM else strictest[2].age
        index, register, pending = members[0]
        yield _finding(program, index, register, hazard, pending, count, len(members) - 1)


def _uses(state: State, effects: Effects) -> Iterator[tuple[RegisterKey, str]]:
    for register in sorted(effects.reads):
        if register in state:
            yield register, "reads"
    for register in sorted(effects.writes - effects.reads):
        if register in state:
            yield register, "overwrites"


def _returns_in_order(pending: Outstanding, entry: CodeEntry) -> bool:
    if entry.kind is Kind.LDS_READ:
        return pending.queue is Queue.LDS
    return entry.kind is Kind.VMEM_LOAD and not entry.lgkm_increment and pending.queue is Queue.VMEM


def _finding(
    program: Program,
    index: int,
    register: RegisterKey,
    hazard: str,
    pending: Outstanding,
    count: int,
    others: int,
) -> Finding:
    counter = COUNTER_OF_QUEUE[pending.queue]
    count = min(count, LARGEST_COUNT[counter])
    load, use = program.instructions[pending.load], program.instructions[index]
    back = " of an earlier loop trip" if pending.load >= index else ""
    order = ""
    if pending.queue is Queue.SMEM:
        order = "; scalar loads return in any order, so only a count of 0 is safe"
    return Finding(
        rule="missing-wait",
        severity=Severity.ERROR,
        message=(
            f"{use.opcode} {hazard} {register_text(register)} while {load.opcode}{back} may not have "
            f"returned it{order}" + (f"; {others} more loads of that line likewise" if others else "")
        ),
        spans=(span_of(program, index), span_of(program, pending.load)),
        fix=f"put s_waitcnt {counter}({count}) or a smaller count between the load and this use",
    )


def needed_counts(
    flow: ControlFlow, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...], before: dict[int, State]
) -> dict[int, dict[Queue, int]]:
    """For each ``s_waitcnt``, per queue, the largest count that still protects every use that relies on it.

    A load relies on the first wait that completes it on a path. Missing queues: nothing relies on it.
    """
    waits = {index: entry for index, entry in enumerate(code) if entry.kind is Kind.WAIT and index in before}
    needed: dict[int, dict[Queue, int]] = {index: {} for index in waits}
    for index, entry in waits.items():
        completed = _completed(before[index], entry)
        if completed:
            for pending in _used_later(flow, effects, index, completed):
                count = 0 if pending.queue is Queue.SMEM else pending.age
                known = needed[index].get(pending.queue, MAX_COUNT)
                needed[index][pending.queue] = min(known, count)
    return needed


MAX_COUNT = 64


def _completed(state: State, entry: CodeEntry) -> State:
    from wavesim.check.pending import after_wait

    kept = after_wait(state, entry)
    return {register: pending for register, pending in state.items() if register not in kept}


def _used_later(
    flow: ControlFlow, effects: tuple[Effects, ...], wait: int, completed: State
) -> Iterator[Outstanding]:
    """Loads among ``completed`` whose register some path uses before overwriting it without a read."""
    todo = [(target, frozenset(completed)) for target in flow.successors[wait]]
    seen: dict[int, frozenset[RegisterKey]] = {}
    used: set[RegisterKey] = set()
    while todo:
        index, live = todo.pop()
        live = live - used - seen.get(index, frozenset())
        if not live:
            continue
        seen[index] = seen.get(index, frozenset()) | live
        used |= live & (effects[index].reads | effects[index].writes)
        rest = live - effects[index].writes - used
        todo.extend((target, rest) for target in flow.successors[index])
    for register in sorted(used):
        yield completed[register]
