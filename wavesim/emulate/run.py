"""Executes a Program for the launched workgroups: Program and Launch in, Trace and results out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from wavesim.emulate.adversary import Adversary
from wavesim.emulate.assumed_ways import AssumedWays, loop_branches, of_outermost_loops
from wavesim.emulate.blocks import BlockMap, refuse_unknown
from wavesim.emulate.context import Context
from wavesim.emulate.launch_state import make_context, placements
from wavesim.emulate.loop_nest import LoopNest, loop_nest
from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.observe import Acquire, GlobalAccess, LdsAccess
from wavesim.emulate.polls import find_polls, flag_loads
from wavesim.emulate.runner import refused_forms
from wavesim.emulate.scheduler import Scheduler
from wavesim.emulate.semantics import without_semantics
from wavesim.emulate.semantics.scalar.mode_register import mode_findings
from wavesim.emulate.slice import NotSliced, Slice
from wavesim.emulate.state import State
from wavesim.emulate.types import Array
from wavesim.emulate.unknowable import Unknowable, find_unknowable, marked_instructions
from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.model import Launch
from wavesim.front.region import DEFAULT_TRIPS
from wavesim.isa.machine import Machine
from wavesim.program import Finding, Program
from wavesim.trace.decode import code_entries
from wavesim.trace.trace import Trace


@dataclass(frozen=True)
class Execution:
    """What was executed.

    Attributes:
        trace: the streams of all waves.
        findings: faults met (out of bounds, deadlock, reads of results before they were stored ...).
        complete: whether every wave reached its end.
        launch: what was launched.
        matrices: the matrix arguments after execution.
        lds_accesses: every LDS access, if asked for.
        global_accesses: every access to a matrix, if those were asked for.
        acquires: reads of flags, if those were asked for.
        clock_reads: executed clock reads (s_memtime) of all waves.
        unknowable: what could not be known, if that was allowed for.
        sliced: what was executed, if only the Trace was asked for; why that is everything, if it is.
        state: the registers at the end.
    """

    trace: Trace
    findings: tuple[Finding, ...]
    complete: bool
    launch: Launch
    matrices: Mapping[str, VirtualMatrix] = field(repr=False)
    lds_accesses: tuple[LdsAccess, ...] = field(default=(), repr=False)
    global_accesses: tuple[GlobalAccess, ...] = field(default=(), repr=False)
    acquires: tuple[Acquire, ...] = ()
    clock_reads: int = 0
    unknowable: Unknowable | None = None
    sliced: Slice | NotSliced | None = field(default=None, repr=False)
    state: State | None = field(default=None, repr=False)

    @property
    def has_numbers(self) -> bool:
        """Whether the numbers were computed too."""
        return not isinstance(self.sliced, Slice)

    @property
    def instruction_count(self) -> int:
        """Dynamic instructions of all waves."""
        return self.trace.instruction_count

    def matrix(self, name: str, region: tuple[int, int, int, int] | None = None) -> Array:
        """Elements of a matrix as numbers (float32, or integers), [rows, columns].

        ``region`` is (row, column, rows, columns); without it, the bounding box of what was touched.

        Raises:
            KeyError: no such matrix.
        """
        matrix = self.matrices[name]
        return matrix.region(*(region or matrix.touched_box()))


def emulate(
    program: Program,
    launch: Launch,
    machine: Machine,
    *,
    progress: Callable[[int], None] | None = None,
    allow_unknown: bool = False,
    observe_lds: bool = False,
    adversarial: bool = False,
    past_deadlock: bool = False,
    clock_values: Mapping[int, Sequence[int]] | None = None,
    at_entry: Iterable[tuple[str, int]] = (),
    trips: int = DEFAULT_TRIPS,
    trips_at: Mapping[int, int] = MappingProxyType({}),
    initial: State | None = None,
    keep_lanes: bool = False,
    rounds: bool = False,
    first: Sequence[int] = (),
    blocks: BlockMap | None = None,
    sliced: Slice | None = None,
) -> Execution:
    """Execute every wave of the launch's workgroups.

    Args:
        program: the kernel.
        launch: arguments, data and workgroups.
        machine: gives LDS lane phases and dispatch intervals.
        progress: called now and then with the number of executed wave instructions.
        allow_unknown: leave out instructions without semantics and those that need their results; they keep
            their place in the Trace, with unknown addresses.
        observe_lds: keep every LDS and global access with its byte addresses.
        adversarial: deliver loads as late as the ISA allows and run waves one at a time in hostile order.
        past_deadlock: let stuck waves go on, to see what comes behind (the execution stays incomplete).
        clock_values: per wave position, what its clock reads show, in order (else placeholders).
        at_entry: with ``allow_unknown``, registers and memories whose first content is not known either.
        trips: how often a loop that no known condition ends runs, each time the program reaches it.
        trips_at: the same for the loop whose head is an instruction.
        initial: registers to begin with, in place of what the dispatcher sets.
        keep_lanes: lanes stay active whose condition is not known.
        rounds: outermost loops run ``trips`` times too, whatever their conditions.
        first: per wave the instruction at which it begins, if that is not the first.
        blocks: of the program, if they are at hand.
        sliced: leave out what it leaves out (see :func:`wavesim.emulate.addresses.emulate_addresses`).

    Raises:
        Withheld: what ``sliced`` leaves out is needed.
        UnknownInstruction: a reachable instruction has no semantics.
        UserError: the launch does not fit the kernel, or control leaves the program.
        LimitExceeded: too many waves, instructions or bytes.
    """
    if machine.arch != program.arch:
        place = SourceSpan(program.file) if program.file else None
        raise UserError(
            f"kernel {program.name} is for {program.arch}, the machine is a {machine.arch}", place
        )
    blocks = blocks or BlockMap(program, code_entries(program))
    missing = without_semantics(blocks.code, blocks.reachable())
    if not allow_unknown:
        refuse_unknown(program, missing)
    polls = find_polls(program, blocks)
    flags = flag_loads(program, blocks) if observe_lds else frozenset()
    context, regions = make_context(
        program,
        launch,
        machine,
        track_writers=bool(polls or flags) and not allow_unknown,
        observe_lds=observe_lds,
        clock_values={wave: list(values) for wave, values in (clock_values or {}).items()},
    )
    context.flag_loads = flags
    context.slice = sliced
    if initial is not None:
        context.state.take(initial)
    unknowable = None
    if allow_unknown:
        first_unknown = frozenset(at_entry)
        nest = loop_nest(blocks)
        unknowable = _find_unknowable(program, blocks, context, missing, first_unknown, keep_lanes, nest)
        if (
            initial is None
            and not first_unknown
            and not unknowable.unknown
            and not unknowable.skipped
            and not unknowable.conditions
        ):
            return emulate(
                program,
                launch,
                machine,
                progress=progress,
                observe_lds=observe_lds,
                adversarial=adversarial,
                past_deadlock=past_deadlock,
                clock_values=clock_values,
            )
        outermost = of_outermost_loops(nest, blocks) if rounds else frozenset()
        unknowable = replace(unknowable, conditions=unknowable.conditions | outermost)
        context.skipped = unknowable.skipped
        context.ways = AssumedWays(nest, blocks, unknowable.conditions, trips, trips_at, context.state.waves)
    if adversarial:
        context.adversary = Adversary(context.state.waves)
    places = placements(launch, machine)
    scheduler = Scheduler(
        context,
        blocks,
        [place.workgroup for place in places],
        skip_unknown=allow_unknown,
        past_deadlock=past_deadlock,
        progress=progress,
        first=first,
    )
    with np.errstate(all="ignore"):
        try:
            complete = scheduler.run()
        except UserError as error:
            if not scheduler.went_astray(f"; then {error.message}"):
                raise
            complete = False
    findings = (*scheduler.findings, *context.findings.values(), *mode_findings(program))
    notes = list(context.notes)
    if unknowable is not None and unknowable.unknown:
        names = sorted({each.opcode for each in unknowable.unknown})
        notes.append(f"passed over as unknown: {', '.join(names)}")
    trace = Trace(
        arch=program.arch,
        program=program,
        code=blocks.code,
        waves=scheduler.recorder.traces(places),
        provenance="emulated",
        complete=complete,
        findings=findings,
        notes=tuple(notes),
        room=launch.room,
    )
    matrices = {name: region.matrix for name, region in regions.items() if region.matrix is not None}
    return Execution(
        trace,
        findings,
        complete,
        launch,
        matrices,
        tuple(context.lds_accesses),
        tuple(context.global_accesses),
        tuple(context.acquires),
        int(context.clocks_read.sum()),
        unknowable,
        sliced,
        context.state,
    )


def _find_unknowable(
    program: Program,
    blocks: BlockMap,
    context: Context,
    missing: list[int],
    at_entry: Iterable[tuple[str, int]],
    keep_lanes: bool,
    nest: LoopNest,
) -> Unknowable:
    reachable = blocks.reachable()
    reasons = dict.fromkeys(missing, "no semantics")
    reasons |= refused_forms(context, blocks, reachable)
    reasons |= marked_instructions(program, reachable)
    around = loop_branches(nest, blocks)
    return find_unknowable(program, blocks, reasons, at_entry, keep_lanes=keep_lanes, around=around)
