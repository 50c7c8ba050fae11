"""Rules mfma-hazard and wait-states: fewer wait states between two instructions than they need.

The hardware does not interlock these pairs. Each instruction counts as one wait state and ``s_nop k`` as
k + 1 (CDNA3 ISA §4.5); the fewest over all paths counts, so loop back edges are seen. What the manual asks
for, or hardware was seen to need, is an error; what only LLVM asks for is a note (an error if ``strict``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wavesim.check.cfg import ControlFlow
from wavesim.check.hazard_classes import (
    CONSUMER_CLASSES,
    MEMORY_KINDS,
    PRODUCER_CLASSES,
    VALU_KINDS,
    RegisterKey,
    linked,
    source_registers,
)
from wavesim.check.waits import register_text, span_of
from wavesim.isa.hazards import HazardRow, MfmaWaits, hazard_rows, mfma_waits
from wavesim.program import Finding, Program, Severity
from wavesim.program.dataflow import Effects
from wavesim.trace import Category, CodeEntry, Kind

DEEPEST_WAIT = 20
"""No row of any table asks for more wait states (gfx950, 16 passes: 20)."""


HOW = {
    "data": "overwrites {}, the data of",
    "hwreg": "uses the hardware register of",
    "overwritten": "overwrites {}, the result of",
}
"""How a consumer depends on its producer, where it is not by reading what that wrote."""


@dataclass(frozen=True, slots=True)
class _Need:
    wait_states: int
    rule: str
    why: str
    source: str
    only_llvm: bool = False


@dataclass(frozen=True)
class _Context:
    program: Program
    code: tuple[CodeEntry, ...]
    effects: tuple[Effects, ...]
    rows: tuple[HazardRow, ...]
    produces: tuple[int, ...]
    consumes: tuple[int, ...]

    @classmethod
    def of(cls, program: Program, code: tuple[CodeEntry, ...], effects: tuple[Effects, ...]) -> _Context:
        """With the rows that each instruction may begin or end, as bits."""
        rows = hazard_rows(program.arch)
        produces = tuple(_bits(PRODUCER_CLASSES[row.producer](entry) for row in rows) for entry in code)
        consumes = tuple(_bits(CONSUMER_CLASSES[row.consumer](entry) for row in rows) for entry in code)
        return cls(program, code, effects, rows, produces, consumes)


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def hazards(
    program: Program,
    code: tuple[CodeEntry, ...],
    effects: tuple[Effects, ...],
    flow: ControlFlow,
    *,
    strict: bool = False,
) -> Iterator[Finding]:
    """One finding per pair of instructions that stand too close on some path, in program order."""
    context = _Context.of(program, code, effects)
    for consumer in sorted(flow.reachable):
        if code[consumer].category is Category.INTERNAL and not effects[consumer].reads:
            continue
        for producer, distance, covered in _earlier(context, flow, consumer):
            unmet = [
                need
                for need in _needs(context, producer, consumer, covered)
                if need is not None and distance < need.wait_states
            ]
            if unmet:
                worst = min(unmet, key=lambda need: (need.only_llvm, -need.wait_states))
                severity = Severity.NOTE if worst.only_llvm and not strict else Severity.ERROR
                yield _finding(context, producer, consumer, distance, worst, severity)


def _earlier(
    context: _Context, flow: ControlFlow, consumer: int
) -> Iterator[tuple[int, int, frozenset[RegisterKey]]]:
    """Instructions up to ``DEEPEST_WAIT`` wait states before ``consumer``: (index, fewest wait states
    between, registers rewritten in between on that path)."""
    best: dict[int, tuple[int, frozenset[RegisterKey]]] = {}
    nothing: frozenset[RegisterKey] = frozenset()
    todo = [(previous, 0, nothing) for previous in flow.predecessors[consumer]]
    while todo:
        index, distance, rewritten = todo.pop()
        known = best.get(index)
        if known is not None and known[0] <= distance and known[1] <= rewritten:
            continue
        if known is None or distance < known[0]:
            best[index] = (distance, rewritten)
        between = distance + (context.code[index].nop_slots or 1)
        if between < DEEPEST_WAIT:
            covered = rewritten | context.effects[index].writes
            todo.extend((previous, between, covered) for previous in flow.predecessors[index])
    for index in sorted(best):
        distance, rewritten = best[index]
        yield index, distance, rewritten


def _needs(
    context: _Context, producer: int, consumer: int, covered: frozenset[RegisterKey]
) -> Iterator[_Need | None]:
    made, used = context.effects[producer], context.effects[consumer]
    entry, user = context.code[producer], context.code[consumer]
    if entry.kind is Kind.MFMA:
        yield _mfma_need(context, producer, consumer, covered)
        return
    common = context.produces[producer] & context.consumes[consumer]
    for place, row in enumerate(context.rows if common else ()):
        if not common >> place & 1:
            continue
        registers = linked(row.through, entry, made, user, used, context.program.arch) - covered
        if registers:
            names = ", ".join(register_text(register) for register in sorted(registers)[:3])
            how = HOW.get(row.through, "uses {} written by").format(names)
            yield _Need(row.wait_states, "wait-states", how, row.source, row.only_llvm)


def _mfma_need(
    context: _Context, producer: int, consumer: int, covered: frozenset[RegisterKey]
) -> _Need | None:
    entry, user = context.code[producer], context.code[consumer]
    table = mfma_waits(context.program.arch)
    waits = table.get(f"{entry.mfma} fp4") if entry.mfma_format == "fp4" else None
    waits = waits or table.get(entry.mfma) or table.get(entry.instruction.opcode)
    if waits is None:
        return None
    result = context.effects[producer].writes - covered
    reads, writes = context.effects[consumer].reads, context.effects[consumer].writes
    if user.kind is Kind.MFMA:
        return _mfma_to_mfma(context, producer, consumer, result, waits)
    if user.kind in MEMORY_KINDS and result & reads:
        return _Need(waits.memory, "mfma-hazard", "reads the result of", waits.source)
    if user.kind in VALU_KINDS and result & (reads | writes):
        how = "reads the result of" if result & reads else "overwrites the result of"
        return _Need(waits.valu, "mfma-hazard", how, waits.source)
    if user.kind in VALU_KINDS:
        sources = source_registers(entry.instruction, context.program.arch)
        if len(sources) > 2 and sources[2] & writes:
            return _Need(waits.war_srcc, "mfma-hazard", "overwrites SrcC of", waits.source)
    return None


def _mfma_to_mfma(
    context: _Context, producer: int, consumer: int, result: frozenset[RegisterKey], waits: MfmaWaits
) -> _Need | None:
    sources = source_registers(context.code[consumer].instruction, context.program.arch)
    factors = frozenset().union(*sources[:2], *sources[3:])
    if result & factors:
        return _Need(waits.srcab, "mfma-hazard", "reads as A or B the result of", waits.source)
    addend = sources[2] if len(sources) > 2 else frozenset()
    written = context.effects[consumer].writes
    if not result & (addend | written):
        return None
    same = addend == context.effects[producer].writes and _passes_alike(context, producer, consumer)
    if same or (not result & addend and written == context.effects[producer].writes):
        return _Need(waits.srcc_same, "mfma-hazard", "accumulates on the result of", waits.source)
    return _Need(waits.srcc_overlap, "mfma-hazard", "overlaps with its SrcC or result that of", waits.source)


def _passes_alike(context: _Context, producer: int, consumer: int) -> bool:
    first, second = context.code[producer], context.code[consumer]
    return (first.mfma, first.mfma_format) == (second.mfma, second.mfma_format)


def _finding(
    context: _Context, producer: int, consumer: int, distance: int, need: _Need, severity: Severity
) -> Finding:
    program = context.program
    made, used = program.instructions[producer], program.instructions[consumer]
    missing = need.wait_states - distance
    asks = "LLVM puts" if need.only_llvm else f"{program.arch} needs"
    return Finding(
        rule=need.rule,
        severity=severity,
        message=(
            f"{used.opcode} {need.why} {made.opcode} after {distance} wait states; "
            f"{asks} {need.wait_states} ({need.source})"
        ),
        spans=(span_of(program, consumer), span_of(program, producer)),
        fix=f"put s_nop {missing - 1} (or {missing} independent instructions) before {used.opcode}",
    )
