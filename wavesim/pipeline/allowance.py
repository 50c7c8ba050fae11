"""Executes a kernel as far as it can be known, under what the caller allows to be unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wavesim.emulate.addresses import emulate_addresses
from wavesim.emulate.blocks import BlockMap, refuse_unknown
from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.run import Execution, emulate
from wavesim.emulate.semantics import without_semantics
from wavesim.emulate.semantics.scalar.mode_register import RULE as FLOAT_MODE
from wavesim.emulate.slice import NotSliced
from wavesim.errors import LimitExceeded
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.region import DEFAULT_TRIPS, REPEAT, Region, unknown_at_start, with_front
from wavesim.isa.machine import Machine
from wavesim.isa.unknown import written_name
from wavesim.limits import Budget, allowing, budget
from wavesim.pipeline.unknowns import Unknowns, find_unknowns, with_unknown_matrix
from wavesim.program import Program
from wavesim.trace import Kind
from wavesim.trace.decode import code_entries

BEFORE_INSTRUCTIONS = 500_000
"""What may be executed before a region, to know more of what it begins with."""


FEWER_TRIPS = 4
"""By how much the default number of trips is divided until a region of nested loops is within the budget."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """``unknown``: instructions without data may be passed over. ``region``: the kernel is a piece. Its
    first values are unknown, apart from those that ``before`` left, the execution of the code before it.
    ``no_launch``: it is the whole kernel, whose arguments nobody said. ``first``: the instruction at which
    each wave begins. ``trips``: of loops whose condition is not known;
    ``trips_at``: of the loop whose head is an instruction."""

    unknown: bool = False
    region: Region | None = None
    trips: int = DEFAULT_TRIPS
    no_launch: bool = False
    trips_at: Mapping[int, int] = field(default_factory=dict)
    before: Execution | None = None
    first: tuple[int, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is allowed at all."""
        return self.unknown or self.region is not None


@dataclass(frozen=True)
class Executed:
    """An execution with the machine that can time it, and what it rests on."""

    execution: Execution
    machine: Machine
    unknowns: Unknowns | None

    def numerics(self) -> Numerics:
        """The numbers, unless they rest on something unknown: those are not checked."""
        checked = check_numerics(self.execution, self.execution.launch)
        if not checked.checked:
            return checked
        if any(finding.rule == FLOAT_MODE and finding.is_bad for finding in self.execution.findings):
            rests = "they rest on MODE bits that are not followed in full"
            checked = replace(checked, message=f"{checked.message}; {rests}")
        if self.unknowns is None or not self.unknowns.mark("numerics"):
            return checked
        return Numerics(True, None, False, "they rest on what is not known")


def execute(
    kernel: LoadedKernel,
    machine: Machine,
    allowance: Allowance,
    *,
    progress: Callable[[int], None] | None = None,
    observe_lds: bool = False,
    adversarial: bool = False,
    clock_values: Mapping[int, Sequence[int]] | None = None,
    numbers: bool = True,
) -> Executed:
    """Execute ``kernel``. In a region whose loops nest, fewer trips than the default are made where those
    would be beyond the budget; the unknowns then say how many. Without ``numbers`` only what the Trace needs
    is executed; numbers are computed all the same where that cannot be told, and the execution says why.

    Raises:
        UnknownInstruction: an instruction cannot be executed and ``allowance`` does not let it pass.
        LimitExceeded: the budget of instructions is used up.
        UserError: the launch does not fit the kernel.
    """
    if not (numbers or allowance.any or adversarial):
        execution = emulate_addresses(
            kernel.program,
            kernel.launch,
            machine,
            progress=progress,
            clock_values=clock_values,
            observe_lds=observe_lds,
        )
        return Executed(execution, machine, None)
    trips = allowance.trips
    while True:
        try:
            done = _execute(
                kernel,
                machine,
                replace(allowance, trips=trips),
                progress=progress,
                observe_lds=observe_lds,
                adversarial=adversarial,
                clock_values=clock_values,
            )
            if numbers:
                return done
            why = NotSliced("of what is unknown, or late, it is not told what addresses need")
            return replace(done, execution=replace(done.execution, sliced=why))
        except LimitExceeded:
            if allowance.region is None or allowance.trips != DEFAULT_TRIPS or trips < FEWER_TRIPS:
                raise
            trips //= FEWER_TRIPS


def _execute(
    kernel: LoadedKernel,
    machine: Machine,
    allowance: Allowance,
    *,
    progress: Callable[[int], None] | None,
    observe_lds: bool,
    adversarial: bool,
    clock_values: Mapping[int, Sequence[int]] | None,
) -> Executed:
    matrix: dict[str, str] = {}
    program = kernel.program
    if allowance.any:
        code = code_entries(program)
        blocks = BlockMap(program, code)
        if not allowance.unknown:
            missing = without_semantics(blocks.code, blocks.reachable())
            refuse_unknown(
                program, [i for i in missing if written_name(program.instructions[i].opcode) != REPEAT]
            )
        machine, matrix = with_unknown_matrix(machine, code)
    at_entry: frozenset[tuple[str, int]] = frozenset()
    initial, before = None, allowance.before
    if allowance.region is not None:
        at_entry = frozenset(unknown_at_start())
        if before is not None and before.unknowable is not None and _arrived(before):
            at_entry, initial = before.unknowable.at_end, before.state
    execution = emulate(
        program,
        kernel.launch,
        machine,
        progress=progress,
        allow_unknown=allowance.any,
        observe_lds=observe_lds,
        adversarial=adversarial,
        clock_values=clock_values,
        at_entry=at_entry,
        trips=allowance.trips,
        trips_at=allowance.trips_at,
        initial=initial,
        keep_lanes=allowance.region is not None,
        rounds=allowance.region is not None,
        first=allowance.first,
    )
    unknowns = find_unknowns(execution, allowance.trips, matrix, before) if allowance.any else None
    return Executed(execution, machine, unknowns)


def at_region(
    kernel: LoadedKernel, region: Region, machine: Machine, *, unknown: bool, trips: int
) -> tuple[LoadedKernel, Allowance]:
    """A piece of a kernel as waves reach it: the code before it is executed as far as it can be known.

    A wave that passed more barriers on the way than another (the stagger of a ping-pong) waits at
    them when the piece begins: the piece gets them at its front.
    """
    allowance = Allowance(unknown, region, trips)
    if region.before is None:
        return kernel, allowance
    try:
        with allowing(Budget(min(budget().instructions, BEFORE_INSTRUCTIONS), budget().clk)):
            before = _execute_before(region.before, kernel, machine)
    except LimitExceeded:  # it does not end by what is known: nothing is known of what it leaves
        return kernel, allowance
    allowance = replace(allowance, before=before)
    if not _arrived(before):
        return kernel, allowance
    barriers = [
        [int(index) for index in wave.code if before.trace.code[index].kind is Kind.BARRIER]
        for wave in before.trace.waves
    ]
    ahead = [len(passed) - min(map(len, barriers)) for passed in barriers]
    most = max(ahead)
    if not most:
        return kernel, allowance
    of_first = barriers[ahead.index(most)]
    waits = [before.trace.program.instructions[index] for index in of_first[-most:]]
    first = tuple(most - count for count in ahead)
    return replace(kernel, program=with_front(kernel.program, waits)), replace(allowance, first=first)


def _arrived(before: Execution) -> bool:
    """Whether every wave reached the region: the last s_endpgm, put behind the code before it."""
    last = len(before.trace.code) - 1
    return before.complete and all(len(wave.code) and wave.code[-1] == last for wave in before.trace.waves)


def _execute_before(program: Program, kernel: LoadedKernel, machine: Machine) -> Execution:
    """The code before a region, executed as far as it can be known: each loop once, other branches
    not taken where their condition is unknown. Its findings and its time do not count."""
    return emulate(
        program,
        kernel.launch,
        machine,
        allow_unknown=True,
        at_entry=unknown_at_start(),
        trips=1,
        keep_lanes=True,
    )
