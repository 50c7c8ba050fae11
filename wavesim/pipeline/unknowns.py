"""What a run rests on that is not known, and which figures depend on it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType

import numpy as np

from wavesim.analyze.result import BOUND_NAMES
from wavesim.emulate.run import Execution
from wavesim.errors import SourceSpan
from wavesim.front.region import REPEAT
from wavesim.isa.archs import ARCHS
from wavesim.isa.kinds import LDS_KINDS, VMEM_KINDS
from wavesim.isa.machine import Machine
from wavesim.isa.mfma import mfma_timings
from wavesim.isa.opcodes import opcode_table
from wavesim.isa.timing_parameters import MfmaTiming
from wavesim.isa.unknown import is_marked, written_name
from wavesim.program import Program
from wavesim.trace import CodeEntry, Kind, Trace

TIMING = (
    "clk_total",
    "clk_per_iteration",
    "stalls",
    "mfma_busy",
    "mfma_idle",
    "lds_busy",
    "overlap",
    "tflops",
)
"""Figures that every doubt about a time touches."""

_BOUNDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.MFMA: ("bounds.mfma", "bounds.issue"),
    Kind.LDS_READ: ("bounds.lds_bytes", "bounds.lds_service", "bounds.issue"),
    Kind.LDS_WRITE: ("bounds.lds_bytes", "bounds.lds_service", "bounds.issue"),
    Kind.VMEM_LOAD: ("bounds.global_bytes", "bounds.memory_in_flight", "bounds.issue"),
    Kind.VMEM_STORE: ("bounds.global_bytes", "bounds.memory_in_flight", "bounds.issue"),
}
_SHAPE = re.compile(r"_(\d+)x(\d+)x(\d+)")
_GUESSED_PASSES = 8
NUMBERS = "numerics"
RACES = "findings.lds-race"
BOUNDS_OF_MEMORY = "findings.out-of-bounds"


@dataclass(frozen=True, slots=True)
class UnknownOpcode:
    """An opcode that could not be executed: its places, why, and what timing took it for."""

    opcode: str
    places: tuple[SourceSpan, ...]
    why: str
    taken_for: str
    nearest: tuple[str, ...]
    executed: int


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something taken as given that is not known, with the figures that rest on it."""

    text: str
    places: tuple[SourceSpan, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknowns:
    """All that a run rests on without knowing it. ``figures`` maps a figure to the assumptions' numbers."""

    opcodes: tuple[UnknownOpcode, ...]
    assumptions: tuple[Assumption, ...]
    figures: Mapping[str, tuple[int, ...]]

    def mark(self, figure: str) -> str:
        """``?`` for a figure that rests on something unknown, else nothing."""
        return "?" if figure in self.figures else ""


def known_to_the_table(opcode: str) -> bool:
    """Whether timing has data for an opcode (it may still have no semantics)."""
    info = opcode_table().get(written_name(opcode))
    return not is_marked(opcode) if info is None else "untimed" not in info.flags


def with_unknown_matrix(machine: Machine, code: Iterable[CodeEntry]) -> tuple[Machine, dict[str, str]]:
    """``machine`` with a row for each matrix instruction it does not know, and what each was taken from:
    the same opcode on another architecture, the most similar name, or 8 passes."""
    table = dict(machine.parameters.mfma_table)
    taken: dict[str, str] = {}
    for opcode in {entry.mfma for entry in code if entry.kind is Kind.MFMA and entry.mfma not in table}:
        name = written_name(opcode)
        elsewhere = next((mfma_timings(arch)[name] for arch in ARCHS if name in mfma_timings(arch)), None)
        near = get_close_matches(name, table, n=1, cutoff=0.6)
        if elsewhere is not None:
            row, origin = elsewhere, f"{name} of another architecture"
        elif near:
            row, origin = table[near[0]], near[0]
        else:
            row, origin = MfmaTiming(name, _GUESSED_PASSES), f"{_GUESSED_PASSES} passes"
        shape = _SHAPE.search(name)
        flops = row.flops
        if elsewhere is None and shape is not None:
            m, n, k = map(int, shape.groups())
            flops = 2 * m * n * k
        table[opcode] = replace(row, opcode=opcode, flops=flops, flops_fp4=0)
        taken[opcode] = f"as {origin} ({row.passes} passes)"
    if not taken:
        return machine, {}
    parameters = replace(machine.parameters, mfma_table=MappingProxyType(table))
    return replace(machine, parameters=parameters), taken


def _executed(trace: Trace) -> Mapping[int, int]:
    counts = np.zeros(len(trace.code), np.int64)
    for wave in trace.waves:
        counts += np.bincount(wave.code, minlength=len(trace.code))
    return {index: int(count) for index, count in enumerate(counts) if count}


def _places(program: Program, indices: Iterable[int]) -> tuple[SourceSpan, ...]:
    spans = (program.instructions[index].span for index in sorted(indices))
    return tuple(dict.fromkeys(span for span in spans if span is not None))


def find_unknowns(
    execution: Execution,
    trips: int,
    matrix: Mapping[str, str] = MappingProxyType({}),
    before: Execution | None = None,
) -> Unknowns | None:
    """What ``execution`` rests on; ``None`` where everything was known.

    ``matrix``: what unknown matrix instructions were timed as; ``before``: the execution of what stands
    before a region, whose registers it began with.
    """
    rests = execution.unknowable
    if rests is None:
        return None
    trace = execution.trace
    program, counts = trace.program, _executed(trace)
    found: list[Assumption] = []

    def assume(text: str, indices: Iterable[int], figures: Iterable[str]) -> None:
        found.append(Assumption(text, _places(program, indices), tuple(dict.fromkeys(figures))))

    opcodes = []
    by_name: dict[tuple[str, str], list[int]] = {}
    for each in rests.unknown:
        if each.opcode != REPEAT and each.index in counts:
            by_name.setdefault((program.instructions[each.index].opcode, each.why), []).append(each.index)
    for (opcode, why), indices in by_name.items():
        kind = trace.code[indices[0]].kind
        timed = known_to_the_table(opcode)
        name = written_name(opcode)
        taken = "timed with its own data" if timed else matrix.get(opcode, f"taken for {kind.value}")
        near = () if name in opcode_table() else _nearest(name)
        executed = sum(counts[index] for index in indices)
        opcodes.append(UnknownOpcode(name, _places(program, indices), why, taken, near, executed))
        if not timed:
            what = f"{name}: {taken}"
            assume(what, indices, (*TIMING, *_BOUNDS.get(kind, ("bounds.issue",))))
    memory_bounds = ("bounds.lds_service", "bounds.global_bytes", "bounds.memory_in_flight")
    doubtful = (*TIMING, *memory_bounds, RACES, NUMBERS)
    if before is not None and before.unknowable is not None:
        assumed = before.unknowable.conditions & _executed(before.trace).keys()
        if assumed:
            places = _places(before.trace.program, assumed)
            text = "branches before the region on what is not known: forward ones not taken, loops left"
            found.append(Assumption(text, places, doubtful))
    lanes = rests.lanes & counts.keys()
    if lanes:
        assume("lanes whose condition is not known are taken to be active", lanes, doubtful)
    _rest_on_addresses(trace, rests.addresses & counts.keys(), assume)
    branches = rests.conditions & counts.keys()
    loops = branches & rests.rounds
    for index in sorted(branches):
        figures: tuple[str, ...] = ("clk_total", "tflops", NUMBERS)
        if index not in loops or len(loops) > 1:  # of one loop, an iteration does not depend on their number
            figures = (*TIMING, *(f"bounds.{name}" for name in BOUND_NAMES), NUMBERS, RACES)
        assume(_branch_text(program, index, trips, loop=index in loops), (index,), figures)
    lost = rests.stores & counts.keys()
    if lost:
        assume("what is stored here is not known, nor what is read there later", lost, (NUMBERS,))
    elif by_name:
        assume(
            "the results of unknown instructions are not known",
            itertools.chain(*by_name.values()),
            (NUMBERS,),
        )
    resting: dict[str, list[int]] = {}
    for number, assumption in enumerate(found):
        for figure in assumption.figures:
            resting.setdefault(figure, []).append(number)
    if not found:
        return None
    return Unknowns(
        tuple(opcodes), tuple(found), MappingProxyType({name: tuple(at) for name, at in resting.items()})
    )


def unknowns_of_code(program: Program) -> Unknowns | None:
    """The unknown opcodes of a program that is not executed; ``None`` where there are none."""
    by_name: dict[tuple[str, str], list[int]] = {}
    for index, instruction in enumerate(program.instructions):
        if is_marked(instruction.opcode) and written_name(instruction.opcode) != REPEAT:
            why = instruction.comment.partition("; ")[0]
            by_name.setdefault((written_name(instruction.opcode), why), []).append(index)
    if not by_name:
        return None
    opcodes = tuple(
        UnknownOpcode(name, _places(program, at), why, "not timed", _nearest(name), 0)
        for (name, why), at in by_name.items()
    )
    places = _places(program, itertools.chain(*by_name.values()))
    text = "an unknown instruction is taken to read all its operands and to write the first"
    assumption = Assumption(text, places, ("findings",))
    return Unknowns(opcodes, (assumption,), MappingProxyType({"findings": (0,)}))


def _nearest(name: str) -> tuple[str, ...]:
    return tuple(get_close_matches(name, opcode_table(), n=3, cutoff=0.6))


def _rest_on_addresses(trace: Trace, lost: Iterable[int], assume: object) -> None:
    assert callable(assume)
    lds = [index for index in lost if trace.code[index].kind in LDS_KINDS]
    memory = [index for index in lost if trace.code[index].kind in VMEM_KINDS]
    if lds:
        assume(
            f"{_count(lds, 'LDS access')} without known addresses: no bank conflicts assumed, "
            "all lanes active, races and bounds not checked",
            lds,
            (*TIMING, "bounds.lds_service", RACES, BOUNDS_OF_MEMORY),
        )
    if memory:
        assume(
            f"{_count(memory, 'global access')} without known addresses: all lanes active, the machine's "
            "latency, bounds not checked",
            memory,
            (*TIMING, "bounds.global_bytes", BOUNDS_OF_MEMORY),
        )


def _count(indices: list[int], what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    return f"{len(indices)} {what}{plural if len(indices) > 1 else ''}"


def _branch_text(program: Program, index: int, trips: int, *, loop: bool) -> str:
    """What was assumed of a branch; ``loop``: it closes or leaves one."""
    instruction = program.instructions[index]
    name = written_name(instruction.opcode)
    target = str(instruction.operands[-1]) if instruction.operands else ""
    if name == REPEAT:
        return f"the piece is repeated {trips} times by a branch that was added at its end"
    if loop:
        return f"{name} {target}: the loop is taken to run {trips} times"
    return f"{name} {target}: taken not to branch"


__all__ = [
    "Assumption",
    "UnknownOpcode",
    "Unknowns",
    "find_unknowns",
    "unknowns_of_code",
    "with_unknown_matrix",
]
