"""Rules mfma-hazard and wait-states: fewer wait states between two instructions than they need.

The hardware does not interlock these pairs. Each instruction counts as one wait state and ``s_nop k`` as
k + 1 (CDNA3 ISA §4.5); the fewest over all paths counts, so loop back edges are seen. What the manual asks
for, or hardware was seen to need, is an error; what only LLVM asks for is a note (an error if ``strict``).
An MFMA issues when the one before it has left the matrix pipe, so behind several of them more slots have
passed than there are instructions. The manual counts instructions, and so does this rule; the message says
where the pipe alone has given the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from wavesim.checks.cfg import ControlFlow
from wavesim.checks.hazard_classes import (
    CONSUMER_CLASSES,
    PRODUCER_CLASSES,
    RegisterKey,
    linked,
    source_registers,
)
from wavesim.checks.waits import register_text, span_of
from wavesim.isa.hazards import HazardRow, MfmaWaits, hazard_rows, mfma_waits
from wavesim.isa.kinds import MEMORY_KINDS, VALU_KINDS
from wavesim.program import Finding, Program, Severity
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry, Kind

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
    only_count: bool = False


@dataclass(frozen=True)
class _Context:
    program: Program
    code: tuple[CodeEntry, ...]
    effects: tuple[Effects, ...]
    rows: tuple[HazardRow, ...]
    produces: tuple[int, ...]
    consumes: tuple[int, ...]
    nodes: dict[int, list[int]]
    sources: dict[int, tuple[frozenset[RegisterKey], ...]]
    of_mfma: frozenset[RegisterKey]
    passes: dict[int, int]

    @classmethod
    def of(
        cls,
        program: Program,
        code: tuple[CodeEntry, ...],
        effects: tuple[Effects, ...],
        flow: ControlFlow,
    ) -> _Context:
        """With the rows that each instruction may begin or end, as bits."""
        rows = hazard_rows(program.arch)
        links = [_FILES.get(row.through) for row in rows]
        makes = [PRODUCER_CLASSES[row.producer] for row in rows]
        takes = [CONSUMER_CLASSES[row.consumer] for row in rows]
        files = [{file for file, _ in used.writes} for used in effects]
        produces = tuple(
            _bits(
                (link is None or not link.isdisjoint(written)) and make(entry)
                for link, make in zip(links, makes, strict=True)
            )
            for entry, written in zip(code, files, strict=True)
        )
        consumes = tuple(_bits(take(entry) for take in takes) for entry in code)
        nodes: dict[int, list[int]] = {}
        for node, index in enumerate(flow.paths.at):
            nodes.setdefault(index, []).append(node)
        sources = {
            index: source_registers(entry.instruction, program.arch)
            for index, entry in enumerate(code)
            if entry.kind is Kind.MFMA
        }
        of_mfma = {name for index in sources for name in effects[index].writes | sources[index][2]}
        known = {index: _waits(program.arch, code[index]) for index in sources}
        passes = {index: waits.passes for index, waits in known.items() if waits is not None}
        return cls(
            program, code, effects, rows, produces, consumes, nodes, sources, frozenset(of_mfma), passes
        )

    def depth(self, consumer: int) -> int:
        """Wait states that any row may ask for before ``consumer``."""
        bits = self.consumes[consumer]
        deepest = max(
            (row.wait_states for place, row in enumerate(self.rows) if bits >> place & 1), default=0
        )
        used = self.effects[consumer]
        after_mfma = self.code[consumer].kind in _AFTER_MFMA
        if after_mfma and not (self.of_mfma.isdisjoint(used.reads) and self.of_mfma.isdisjoint(used.writes)):
            return DEEPEST_WAIT
        return deepest

    def may_meet(self, producer: int, consumer: int) -> bool:
        """Whether any row is about such a pair."""
        return self.code[producer].kind is Kind.MFMA or bool(
            self.produces[producer] & self.consumes[consumer]
        )


_FILES = {
    **{"vgpr": {"v", "a"}, "sgpr": {"s", "vcc"}, "constant": {"s", "vcc", "exec"}, "carry": {"s", "vcc"}},
    **{"vcc": {"vcc"}, "exec": {"exec"}, "m0": {"m0"}, "zero_flag": {"vcc", "exec"}, "lane": {"s", "vcc"}},
}
"""What a producer writes, at least one of, by what links it to a consumer."""


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
    context = _Context.of(program, code, effects, flow)
    for consumer in sorted(flow.reachable):
        for producer, ways in _earlier(context, flow, consumer):
            worst = min(_needs(context, producer, consumer, ways), key=_weight, default=None)
            if worst is not None:
                distance, need = worst
                severity = Severity.NOTE if need.only_llvm and not strict else Severity.ERROR
                yield _finding(context, producer, consumer, distance, need, severity)


def states_between(
    program: Program,
    code: tuple[CodeEntry, ...],
    effects: tuple[Effects, ...],
    flow: ControlFlow,
    indices: Sequence[int],
) -> dict[tuple[int, int], int]:
    """Wait states that the second of two of these instructions needs behind the first, if nothing between
    them rewrites what links them: places in ``indices`` -> the most that any row asks for."""
    context = _Context.of(program, code, effects, flow)
    found = {}
    adjacent: list[Way] = [(0, 0, frozenset())]
    for user, consumer in enumerate(indices):
        if not context.depth(consumer):
            continue
        for place, producer in enumerate(indices):
            if context.may_meet(producer, consumer):
                needs = (need.wait_states for _, need in _needs(context, producer, consumer, adjacent))
                states = max(needs, default=0)
                if states:
                    found[place, user] = states
    return found


_AFTER_MFMA = VALU_KINDS | MEMORY_KINDS | {Kind.MFMA}
"""What the columns of isa/mfma.csv are about."""


def _weight(found: tuple[int, _Need]) -> tuple[bool, bool, int]:
    distance, need = found
    return need.only_llvm, need.only_count, distance - need.wait_states


Way = tuple[int, int, frozenset[RegisterKey]]
"""From an instruction to a later one: wait states between by counting instructions, slots that pass at least
(the matrix pipe seen), registers of interest rewritten in between."""


def _earlier(context: _Context, flow: ControlFlow, consumer: int) -> Iterator[tuple[int, list[Way]]]:
    """Instructions up to ``DEEPEST_WAIT`` wait states before ``consumer`` that a row may be about, with the
    ways from there: of two ways the longer one counts only if it rewrites less."""
    used = context.effects[consumer]
    interest = used.reads | used.writes | _IMPLICIT
    paths = flow.paths
    nothing: frozenset[RegisterKey] = frozenset()
    ways: dict[int, list[Way]] = {}
    deepest = context.depth(consumer)
    starts = context.nodes[consumer] if deepest else []
    later_mfma = context.code[consumer].kind is Kind.MFMA
    todo = [(each, 0, 0, later_mfma, nothing) for node in starts for each in paths.predecessors[node]]
    while todo:
        node, distance, slots, behind_mfma, rewritten = todo.pop()
        index = paths.at[node]
        entry = context.code[index]
        held = context.passes.get(index, 1) - 1 if behind_mfma else 0
        known = ways.setdefault(node, [])
        if any(way[0] <= distance and way[1] <= slots + held and way[2] <= rewritten for way in known):
            continue
        known.append((distance, slots + held, rewritten))
        between = entry.nop_slots or 1
        if distance + between < deepest:
            covered = rewritten | context.effects[index].writes & interest
            behind = behind_mfma or entry.kind is Kind.MFMA
            way = (distance + between, slots + held + between, behind, covered)
            todo.extend((previous, *way) for previous in paths.predecessors[node])
    by_index: dict[int, list[Way]] = {}
    for node, known in ways.items():
        if context.may_meet(paths.at[node], consumer):
            by_index.setdefault(paths.at[node], []).extend(known)
    yield from sorted(by_index.items())


_IMPLICIT = frozenset((("exec", 0), ("vcc", 0), ("m0", 0)))
"""What an instruction may depend on without naming it."""


def _needs(context: _Context, producer: int, consumer: int, ways: list[Way]) -> Iterator[tuple[int, _Need]]:
    """Wait states between the two on some way, and what asks for more."""
    made, used = context.effects[producer], context.effects[consumer]
    entry, user = context.code[producer], context.code[consumer]
    if entry.kind is Kind.MFMA:
        for distance, slots, covered in ways:
            need = _mfma_need(context, producer, consumer, covered)
            if need is not None and distance < need.wait_states:
                yield distance, replace(need, only_count=slots >= need.wait_states)
        return
    common = context.produces[producer] & context.consumes[consumer]
    closest = min(way[0] for way in ways)
    for place, row in enumerate(context.rows):
        if not common >> place & 1 or closest >= row.wait_states:
            continue
        linking = linked(row.through, entry, made, user, used, context.program.arch)
        for distance, slots, covered in ways if linking else ():
            registers = linking - covered
            if distance < row.wait_states and registers:
                names = ", ".join(register_text(register) for register in sorted(registers)[:3])
                how = HOW.get(row.through, "uses {} written by").format(names)
                enough = slots >= row.wait_states
                yield distance, _Need(row.wait_states, "wait-states", how, row.source, row.only_llvm, enough)


def _waits(arch: str, entry: CodeEntry) -> MfmaWaits | None:
    table = mfma_waits(arch)
    waits = table.get(f"{entry.mfma} fp4") if entry.mfma_format == "fp4" else None
    return waits or table.get(entry.mfma) or table.get(entry.instruction.opcode)


def _mfma_need(
    context: _Context, producer: int, consumer: int, covered: frozenset[RegisterKey]
) -> _Need | None:
    entry, user = context.code[producer], context.code[consumer]
    waits = _waits(context.program.arch, entry)
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
        sources = context.sources[producer]
        if len(sources) > 2 and sources[2] & writes:
            return _Need(waits.war_srcc, "mfma-hazard", "overwrites SrcC of", waits.source)
    return None


def _mfma_to_mfma(
    context: _Context, producer: int, consumer: int, result: frozenset[RegisterKey], waits: MfmaWaits
) -> _Need | None:
    sources = context.sources[consumer]
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
    pipe = (
        "; by the count of instructions: the MFMAs between hold the matrix pipe for longer"
        if need.only_count
        else ""
    )
    return Finding(
        rule=need.rule,
        severity=severity,
        message=(
            f"{used.opcode} {need.why} {made.opcode} after {distance} wait states; "
            f"{asks} {need.wait_states} ({need.source}){pipe}"
        ),
        spans=(span_of(program, consumer), span_of(program, producer)),
        fix=f"put s_nop {missing - 1} (or {missing} independent instructions) before {used.opcode}",
    )
