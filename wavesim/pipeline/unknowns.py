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
from wavesim.emulate.unknowable import Unknowable
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
from wavesim.words import counted

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


_MEMORY_BOUNDS = ("bounds.lds_service", "bounds.global_bytes", "bounds.memory_in_flight")
_DOUBTFUL = (*TIMING, *_MEMORY_BOUNDS, RACES, NUMBERS)


class _Finder:
    """What an execution rests on, assumption by assumption."""

    def __init__(self, execution: Execution, rests: Unknowable) -> None:
        self.trace, self.rests = execution.trace, rests
        self.program = self.trace.program
        self.counts = _executed(self.trace)
        self.found: list[Assumption] = []
        self.unknown: dict[tuple[str, str], list[int]] = {}  # (opcode, why) -> where it was executed
        for each in rests.unknown:
            if each.opcode != REPEAT and each.index in self.counts:
                opcode = self.program.instructions[each.index].opcode
                self.unknown.setdefault((opcode, each.why), []).append(each.index)

    def assume(self, text: str, indices: Iterable[int], figures: Iterable[str]) -> None:
        """Takes down that ``figures`` rest on ``text``, at the instructions ``indices``."""
        self.found.append(Assumption(text, _places(self.program, indices), tuple(dict.fromkeys(figures))))

    def opcodes(self, matrix: Mapping[str, str]) -> tuple[UnknownOpcode, ...]:
        """The unknown instructions that were executed, and that their times are guessed."""
        found = []
        for (opcode, why), indices in self.unknown.items():
            kind = self.trace.code[indices[0]].kind
            timed = known_to_the_table(opcode)
            name = written_name(opcode)
            taken = "timed with its own data" if timed else matrix.get(opcode, f"taken for {kind.value}")
            near = () if name in opcode_table() else _nearest(name)
            executed = sum(self.counts[index] for index in indices)
            places = _places(self.program, indices)
            found.append(UnknownOpcode(name, places, why, taken, near, executed))
            if not timed:
                self.assume(f"{name}: {taken}", indices, (*TIMING, *_BOUNDS.get(kind, ("bounds.issue",))))
        return tuple(found)

    def before(self, execution: Execution | None) -> None:
        """Branches of what stands before a region."""
        if execution is None or execution.unknowable is None:
            return
        assumed = execution.unknowable.conditions & _executed(execution.trace).keys()
        if assumed:
            places = _places(execution.trace.program, assumed)
            text = "branches before the region on what is not known: forward ones not taken, loops left"
            self.found.append(Assumption(text, places, _DOUBTFUL))

    def lanes(self) -> None:
        """Lanes that may not be active."""
        lanes = self.rests.lanes & self.counts.keys()
        if lanes:
            self.assume("lanes whose condition is not known are taken to be active", lanes, _DOUBTFUL)

    def addresses(self) -> None:
        """Memory accesses whose addresses are not known."""
        lost = self.rests.addresses & self.counts.keys()
        lds = [index for index in lost if self.trace.code[index].kind in LDS_KINDS]
        memory = [index for index in lost if self.trace.code[index].kind in VMEM_KINDS]
        if lds:
            self.assume(
                f"{counted(len(lds), 'LDS access')} without known addresses: no bank conflicts assumed, "
                "all lanes active, races and bounds not checked",
                lds,
                (*TIMING, "bounds.lds_service", RACES, BOUNDS_OF_MEMORY),
            )
        if memory:
            self.assume(
                f"{counted(len(memory), 'global access')} without known addresses: all lanes active, the "
                "machine's latency, bounds not checked",
                memory,
                (*TIMING, "bounds.global_bytes", BOUNDS_OF_MEMORY),
            )

    def branches(self, trips: int) -> None:
        """Branches whose condition is not known, and how often their loops run."""
        branches = self.rests.conditions & self.counts.keys()
        loops = branches & self.rests.rounds
        for index in sorted(branches):
            figures: tuple[str, ...] = ("clk_total", "tflops", NUMBERS)
            # an iteration does not depend on how many there are, if there is one loop
            if index not in loops or len(loops) > 1:
                figures = (*TIMING, *(f"bounds.{name}" for name in BOUND_NAMES), NUMBERS, RACES)
            self.assume(_branch_text(self.program, index, trips, loop=index in loops), (index,), figures)

    def stores(self) -> None:
        """Data that is not known."""
        lost = self.rests.stores & self.counts.keys()
        if lost:
            self.assume("what is stored here is not known, nor what is read there later", lost, (NUMBERS,))
        elif self.unknown:
            executed = itertools.chain(*self.unknown.values())
            self.assume("the results of unknown instructions are not known", executed, (NUMBERS,))


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
    if execution.unknowable is None:
        return None
    finder = _Finder(execution, execution.unknowable)
    opcodes = finder.opcodes(matrix)
    finder.before(before)
    finder.lanes()
    finder.addresses()
    finder.branches(trips)
    finder.stores()
    if not finder.found:
        return None
    resting: dict[str, list[int]] = {}
    for number, assumption in enumerate(finder.found):
        for figure in assumption.figures:
            resting.setdefault(figure, []).append(number)
    figures = MappingProxyType({name: tuple(at) for name, at in resting.items()})
    return Unknowns(opcodes, tuple(finder.found), figures)


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
