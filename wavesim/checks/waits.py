"""Rule missing-wait: registers used before their load returned, over all paths."""

from __future__ import annotations

from collections.abc import Iterator

from wavesim.checks.pending import FLAT_QUEUES, Outstanding, Queue, RegisterKey, State
from wavesim.errors import SourceSpan
from wavesim.program import Finding, Program, Severity
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Kind

COUNTER_OF_QUEUE = {
    Queue.LDS: "lgkmcnt",
    Queue.SMEM: "lgkmcnt",
    Queue.VMEM: "vmcnt",
    Queue.FLAT: "vmcnt(0) lgkmcnt",
    Queue.FLAT_VMCNT: "vmcnt",
    Queue.FLAT_LGKMCNT: "lgkmcnt",
}
ANY_ORDER = FLAT_QUEUES | {Queue.SMEM}
"""Only a count of 0 completes these."""


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
        for register, hazard in hazardous_uses(state, code[index], effects[index]):
            pending = state[register]
            key = (pending.load, hazard)
            if key in seen:
                continue
            seen.add(key)
            lines = (span_of(program, index), span_of(program, pending.load), hazard)
            groups.setdefault(lines, []).append((index, register, pending))
    for (_, _, hazard), members in groups.items():
        count = min(0 if member[2].queue in ANY_ORDER else member[2].age for member in members)
        index, register, pending = members[0]
        yield _finding(program, index, register, hazard, pending, count, len(members) - 1)


def hazardous_uses(state: State, entry: CodeEntry, effects: Effects) -> Iterator[tuple[RegisterKey, str]]:
    """Registers in ``state`` that an instruction reads or overwrites before they are there.

    A later load of the same return order may overwrite: its result arrives later and stays.
    """
    for register in sorted(effects.reads):
        if register in state:
            yield register, "reads"
    for register in sorted(effects.writes - effects.reads):
        if register in state and not _returns_in_order(state[register], entry):
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
    load, use = program.instructions[pending.load], program.instructions[index]
    back = " of an earlier loop trip" if pending.load >= index else ""
    order = ""
    if pending.queue is Queue.SMEM:
        order = "; scalar loads return in any order, so only a count of 0 is safe"
    elif pending.queue in FLAT_QUEUES:
        order = "; a flat load has returned when both counters are 0"
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
