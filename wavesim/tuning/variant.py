"""A variant of a kernel whose loop is scheduled: as it is, or with operations run one pass ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np

from wavesim.checks.all_paths import check_program
from wavesim.checks.relaxing import WaitRelaxer
from wavesim.emulate.run import Execution
from wavesim.isa.kinds import MEMORY_KINDS, Kind
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Finding, Immediate, Instruction, Program
from wavesim.trace import PUT_IN, CodeEntry, Trace, WaveTrace
from wavesim.trace.trace import MEMORY_COLUMNS
from wavesim.tuning.dependence import Addresses, Bool, order_of
from wavesim.tuning.loop import Loop, entries_of, loop_of, loops_of
from wavesim.tuning.remade import Change, barriers_wanted, shifted, shifts, with_barriers
from wavesim.tuning.rotate import Turn, rotated, rotated_program
from wavesim.tuning.schedule import Piece, Schedule, Scheduler, each_block, nops, scheduled_program
from wavesim.tuning.score import Judge

PADS = (0, 1, 2, 4, 8, 12, 16, 20)
"""Wait states tried where the loop is entered and left."""


Checked = tuple[list[Finding], WaitRelaxer]
"""What :func:`wavesim.checks.all_paths.check_program` says."""


@dataclass(frozen=True)
class Variant:
    """``name`` says what is different; ``scheduler`` makes schedules of its loop; ``trace``: its streams."""

    name: str
    scheduler: Scheduler
    relaxer: WaitRelaxer
    trace: Trace
    loop: Loop
    addresses: Addresses
    findings: tuple[Finding, ...]
    made: tuple[Change, ...] = ()
    turned: Turn | None = None
    origin: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        trace: Trace,
        loop: Loop,
        addresses: Addresses,
        made: tuple[Change, ...] = (),
        turned: Turn | None = None,
        origin: Mapping[int, int] | None = None,
        checked: Checked | None = None,
    ) -> Variant:
        """For a program and its streams; ``made`` and ``turned`` say how it was remade and then rotated,
        ``origin`` which static instructions of the kernel as it was the loop's operations are, and
        ``checked`` what its check said, where it was checked already."""
        findings, relaxer = checked or check_program(trace.program)
        order = order_of(loop, relaxer.code, relaxer.effects, trace.program.arch, addresses, len(trace.waves))
        meets = addresses.meet if _are_in_step(trace, loop) else None
        scheduler = Scheduler.of(loop, relaxer, order, meets)
        own = [index for unit, index in enumerate(loop.operations) if unit not in loop.ends]
        origin = origin if origin is not None else {index: index for index in own}
        return cls(name, scheduler, relaxer, trace, loop, addresses, tuple(findings), made, turned, origin)

    @property
    def entries(self) -> tuple[CodeEntry, ...]:
        """What timing needs of its operations."""
        return entries_of(self.loop, self.relaxer.code)

    @property
    def in_step(self) -> bool:
        """Whether all waves are in the same phase of the loop."""
        return _are_in_step(self.trace, self.loop)

    @property
    def remade_as(self) -> tuple[str, ...]:
        """How the kernel was remade, in words."""
        return tuple(each.said for each in self.made)

    @property
    def as_it_is(self) -> list[int]:
        """Its operations in program order."""
        return list(range(len(self.loop.operations)))

    @property
    def own(self) -> Schedule:
        """The loop with the waits that it has."""
        program = self.trace.program
        return Schedule(
            self.loop,
            tuple(
                tuple((n, program.instructions[n]) for n in range(block.start, block.stop))
                for block in self.loop.blocks
            ),
        )

    def judge(self, trace: Trace, parameters: TimingParameters, share: float = 1.0) -> Judge:
        """What scores its schedules on these streams of its program, which may be shorter than its own."""
        return Judge(trace, parameters, self.loop.head, share)

    def ahead(self, cut: Sequence[int]) -> Variant:
        """With the operations ``cut`` of a straight loop run one pass ahead; they and those before them are
        closed."""
        chosen = set(cut)
        later = [number for number in self.as_it_is if number not in chosen]
        pieces = self.scheduler.schedule([*cut, *later]).pieces
        behind = {self.loop.operations[number] for number in later}
        place = next(n for n, (index, _) in enumerate(pieces) if index in behind)
        while place and pieces[place - 1][0] == PUT_IN:
            place -= 1
        turn = Turn(self.loop, pieces, place)
        usual, checked = _hazards(self.findings), None
        for pad in PADS:
            padded = replace(turn, behind=tuple(nops(pad)))
            found = check_program(rotated_program(self.trace.program, padded)[0])
            if _hazards(found[0]) <= usual:
                turn, checked = padded, found
                break
        new = rotated(self.trace, turn)
        indices = dict(zip(new.loop.operations, new.origin, strict=True))
        name = f"{len(cut)} operations run one pass ahead"
        if self.made:
            name = f"{self.name}; {name}"
        origin = {index: self.origin[old] for index, old in indices.items()}
        addresses = self.addresses.renumbered(indices)
        return Variant.of(name, new.trace, new.loop, addresses, self.made, turn, origin, checked)

    def remade(self, change: Change, execute: Callable[[Program], Execution]) -> Variant:
        """The kernel with a change, executed anew. What is known of the latencies of its accesses to memory
        stays."""
        program = change.applied(self.trace.program)
        execution = execute(program)
        waves = zip(self.trace.waves, execution.trace.waves, strict=True)
        kinds = [entry.kind in MEMORY_KINDS or entry.kind is Kind.SMEM for entry in self.trace.code]
        now = [entry.kind in MEMORY_KINDS or entry.kind is Kind.SMEM for entry in execution.trace.code]
        trace = replace(
            execution.trace,
            waves=tuple(
                _with_latencies(old, np.array(kinds)[old.code], new, np.array(now)[new.code])
                for old, new in waves
            ),
            cold_code=self.trace.cold_code,
        )
        origins = change.origins(len(self.trace.program))
        mine = self.loop.members
        loop = loop_of(
            trace, min(loops_of(trace), key=lambda each: len(mine ^ {origins[n] for n in each.members}))
        )
        kept = [index for unit, index in enumerate(loop.operations) if unit not in loop.ends]
        origin = {index: self.origin.get(origins[index], origins[index]) for index in kept}
        name = change.said if not self.made else f"{self.name}; {change.said}"
        made = (*self.made, change)
        return Variant.of(name, trace, loop, Addresses.of(execution, loop), made, None, origin)

    def shifts(self) -> Iterator[Change]:
        """Accesses to parts of the LDS some barriers later."""
        code, program = self.relaxer.code, self.trace.program
        parts = self.addresses.parts(self.loop, code)
        bases: dict[int, tuple[Variant, Scheduler]] = {}
        for shift in shifts(self.loop, code, self.addresses):
            more = barriers_wanted(self.loop, code, parts, shift)
            if more not in bases:
                last = max(n for n in self.loop.operations if code[n].kind is Kind.BARRIER)
                base = self._with_barriers(last, more) if more else self
                drained = Scheduler.of(base.loop, base.relaxer, base.scheduler.order)
                bases[more] = base, drained  # accesses are complete at each barrier
            base, drained = bases[more]
            made = shifted(drained, base.relaxer.code, base.addresses, shift, more, len(program))
            if made is not None:
                yield made

    def _with_barriers(self, last: int, more: int) -> Variant:
        """With more barriers behind one of its own; its streams stay those of before: nothing is timed."""
        program = with_barriers(self.trace.program, last, more)
        old = [*range(last + 1), *[-1] * more, *range(last + 1, len(self.trace.program))]
        loop = self.loop
        operations = [n for n in range(loop.low, loop.high + more) if old[n] in (-1, *loop.operations)]
        block = replace(
            loop.blocks[0], stop=loop.high + more, operations=tuple(operations), tail=loop.tail + more
        )
        members = frozenset(range(loop.low, loop.high + more))
        new = replace(
            loop,
            blocks=(block,),
            operations=tuple(operations),
            members=members,
            own=members,
        )
        indices = {n: old[n] for n in operations if old[n] >= 0}
        trace = replace(self.trace, program=program)
        return Variant.of(self.name, trace, new, self.addresses.renumbered(indices))

    def recipe(self, order: Sequence[int], levels: Sequence[int] = ()) -> Recipe:
        """How a schedule is put into the kernel as it was; where the loop is entered and left, with the wait
        states that it needs.

        Args:
            order: of its units.
            levels: as :func:`with_priorities` takes them.
        """
        schedule = with_priorities(self.scheduler.schedule(order), self.relaxer.code, levels)
        usual = _hazards(self.findings)
        for pad in PADS:
            for ahead, after in dict.fromkeys(((0, pad), (pad, 0), (pad, pad))):
                made = Recipe(self.made, self.turned, self._padded(schedule, ahead, after))
                if _hazards(check_program(made.scheduled(self.trace.program))[0]) <= usual:
                    return made
        return Recipe(self.made, self.turned, schedule)

    def _padded(self, schedule: Schedule, ahead: int, after: int) -> Schedule:
        """With wait states where the loop is entered, and where it is left."""
        leaves = sorted({place for several in self.scheduler.leaves for place in several}) if after else []
        behind = {place: (*schedule.behind.get(place, ()), *nops(after)) for place in leaves}
        return replace(schedule, ahead=tuple(nops(ahead)), behind={**schedule.behind, **behind})


@dataclass(frozen=True)
class Recipe:
    """A schedule that can be put into any program of the same shape, such as the kernel at another depth.
    ``made`` and ``turned`` say how it is remade and its loop is rotated first."""

    made: tuple[Change, ...]
    turned: Turn | None
    schedule: Schedule

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The loop's instructions."""
        return self.schedule.pieces

    def scheduled(self, program: Program) -> Program:
        """With the schedule in a program whose loop is rotated already, where it is to be."""
        return scheduled_program(program, self.schedule.on(program))

    def applied(self, program: Program) -> Program:
        """With the schedule in a kernel as it was."""
        for change in self.made:
            program = change.applied(program)
        if self.turned is not None:
            program, _, _ = rotated_program(program, self.turned.of(program))
        return self.scheduled(program)


def _with_latencies(old: WaveTrace, accesses: Bool, new: WaveTrace, now: Bool) -> WaveTrace:
    """A wave's new stream with what is known of the memory behind its accesses."""
    latency = new.memory_latency_clk.copy()
    latency[now] = old.memory_latency_clk[accesses]
    columns: dict[str, Any] = {"memory_latency_clk": latency}
    for name in MEMORY_COLUMNS:
        if len(getattr(old, name)):
            columns[name] = np.zeros(len(new), np.int32)
            columns[name][now] = getattr(old, name)[accesses]
    return replace(new, **columns)


def _are_in_step(trace: Trace, loop: Loop) -> bool:
    """Whether all waves have passed equally many barriers where they enter the loop. Of staggered waves
    others are in another phase of it, so that what one's own next phase touches says nothing about theirs."""
    barriers = np.array([entry.kind is Kind.BARRIER for entry in trace.code])
    waves = zip(trace.waves, loop.passes, strict=True)
    return len({int(barriers[wave.code[: starts[0]]].sum()) for wave, starts in waves if len(starts)}) < 2


def _hazards(findings: Sequence[Finding]) -> int:
    return sum(each.is_bad and each.rule in ("mfma-hazard", "wait-states") for each in findings)


def with_priorities(schedule: Schedule, code: Sequence[CodeEntry], levels: Sequence[int]) -> Schedule:
    """The schedule with s_setprio ``levels[0]`` before runs of ``levels[1]`` MFMAs or more, and 0 behind."""
    if not levels:
        return schedule
    level, shortest = levels
    raised, normal = (Instruction("s_setprio", (Immediate(value),)) for value in (level, 0))

    def change(pieces: Sequence[Piece]) -> list[Piece]:
        result: list[Piece] = []
        for matrix, several in groupby(
            pieces, lambda piece: piece[0] != PUT_IN and code[piece[0]].kind is Kind.MFMA
        ):
            run = list(several)
            around = matrix and len(run) >= shortest
            result += [(PUT_IN, raised), *run, (PUT_IN, normal)] if around else run
        return result

    return each_block(schedule, change)
