"""A variant of a kernel whose loop is scheduled: as it is, or with operations run one pass ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from wavesim.checks.relaxing import WaitRelaxer
from wavesim.checks.run import check_program
from wavesim.isa.kinds import Kind
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Finding, Immediate, Instruction, Program
from wavesim.trace import PUT_IN, CodeEntry, Trace
from wavesim.tuning.dependence import Addresses, order_of
from wavesim.tuning.loop import LoopBlock, entries_of
from wavesim.tuning.rotate import Turn, rotated, rotated_program
from wavesim.tuning.schedule import Piece, Scheduler, nops, on, scheduled_program
from wavesim.tuning.score import Judge

PADS = (0, 1, 2, 4, 8, 12, 16, 20)
"""Wait states tried where the loop is entered and left."""


@dataclass(frozen=True)
class Variant:
    """``name`` says what is different; ``scheduler`` makes schedules of its loop; ``trace``: its streams."""

    name: str
    scheduler: Scheduler
    relaxer: WaitRelaxer
    trace: Trace
    block: LoopBlock
    addresses: Addresses
    findings: tuple[Finding, ...]
    turned: Turn | None = None
    origin: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        trace: Trace,
        block: LoopBlock,
        addresses: Addresses,
        turned: Turn | None = None,
        origin: Mapping[int, int] | None = None,
    ) -> Variant:
        """For a program and its streams; ``turned`` says how it was rotated, ``origin`` which static
        instructions of the kernel as it was the loop's operations are."""
        findings, relaxer = check_program(trace.program)
        order = order_of(
            block, relaxer.code, relaxer.effects, trace.program.arch, addresses, len(trace.waves)
        )
        scheduler = Scheduler.of(block, relaxer, order)
        origin = origin if origin is not None else {index: index for index in block.operations}
        return cls(name, scheduler, relaxer, trace, block, addresses, tuple(findings), turned, origin)

    @property
    def entries(self) -> tuple[CodeEntry, ...]:
        """What timing needs of its operations."""
        return entries_of(self.block, self.relaxer.code)

    @property
    def as_it_is(self) -> list[int]:
        """Its operations in program order."""
        return list(range(len(self.block.operations)))

    @property
    def own_pieces(self) -> list[Piece]:
        """The loop with the waits that it has."""
        program = self.trace.program
        return [(n, program.instructions[n]) for n in range(self.block.head, self.block.tail + 1)]

    def judge(self, trace: Trace, parameters: TimingParameters, share: float = 1.0) -> Judge:
        """What scores its schedules on these streams of its program, which may be shorter than its own."""
        return Judge(trace, parameters, within(self.block, trace), share)

    def ahead(self, cut: Sequence[int]) -> Variant:
        """With the operations ``cut`` run one pass ahead; they and those before them are closed."""
        chosen = set(cut)
        later = [number for number in self.as_it_is if number not in chosen]
        pieces = self.scheduler.pieces([*cut, *later])
        behind = {self.block.operations[number] for number in later}
        place = next(n for n, (index, _) in enumerate(pieces) if index in behind)
        while place and pieces[place - 1][0] == PUT_IN:
            place -= 1
        turn = Turn(self.block, tuple(pieces), place)
        usual = _hazards(self.findings)
        for pad in PADS:
            new = rotated(self.trace, self.block, replace(turn, behind=tuple(nops(pad))))
            if _hazards(check_program(new.program)[0]) <= usual:
                turn = replace(turn, behind=tuple(nops(pad)))
                break
        new = rotated(self.trace, self.block, turn)
        indices = dict(zip(new.block.operations, new.origin, strict=True))
        name = f"{len(cut)} operations run one pass ahead"
        addresses = self.addresses.renumbered(indices)
        return Variant.of(name, new.trace, new.block, addresses, turn, indices)

    def recipe(self, order: Sequence[int], levels: Sequence[int] = ()) -> Recipe:
        """How a schedule is put into the kernel as it was; where the loop is entered and left, with the wait
        states that it needs.

        Args:
            order: of its operations.
            levels: as :func:`with_priorities` takes them.
        """
        pieces = with_priorities(self.scheduler.pieces(order), self.relaxer.code, levels)
        behind = self.scheduler.behind(order)
        usual = _hazards(self.findings)
        for pad in PADS:
            for ahead, after in ((0, pad), (pad, 0), (pad, pad)):
                made = Recipe(
                    self.turned, self.block, tuple(pieces), tuple(nops(ahead)), (*behind, *nops(after))
                )
                if _hazards(check_program(made.scheduled(self.trace.program))[0]) <= usual:
                    return made
        return Recipe(self.turned, self.block, tuple(pieces), (), tuple(behind))


@dataclass(frozen=True)
class Recipe:
    """A schedule that can be put into any program of the same shape, such as the kernel at another depth.

    ``turned`` says how the loop is rotated first; ``block``, ``pieces``, ``ahead`` and ``behind`` are then as
    :func:`wavesim.tuning.schedule.scheduled_program` takes them.
    """

    turned: Turn | None
    block: LoopBlock
    pieces: tuple[Piece, ...]
    ahead: tuple[Instruction, ...]
    behind: tuple[Instruction, ...]

    def scheduled(self, program: Program) -> Program:
        """With the schedule in a program whose loop is rotated already, where it is to be."""
        return scheduled_program(program, self.block, on(program, self.pieces), self.ahead, self.behind)

    def applied(self, program: Program) -> Program:
        """With the schedule in a kernel as it was."""
        if self.turned is not None:
            program, _, _ = rotated_program(program, self.turned.of(program))
        return self.scheduled(program)


def within(block: LoopBlock, trace: Trace) -> LoopBlock:
    """The block with its passes in other streams of the same program."""
    from wavesim.tuning.loop import blocks_of

    return next(each for each in blocks_of(trace) if each.head == block.head)


def _hazards(findings: Sequence[Finding]) -> int:
    return sum(each.is_bad and each.rule in ("mfma-hazard", "wait-states") for each in findings)


def with_priorities(pieces: Sequence[Piece], code: Sequence[CodeEntry], levels: Sequence[int]) -> list[Piece]:
    """The schedule with s_setprio ``levels[0]`` before runs of ``levels[1]`` MFMAs or more, and 0 behind."""
    if not levels:
        return list(pieces)
    level, shortest = levels
    result: list[Piece] = []
    run: list[Piece] = []

    def flush() -> None:
        if len(run) >= shortest:
            raised, normal = (Instruction("s_setprio", (Immediate(value),)) for value in (level, 0))
            result.extend(((PUT_IN, raised), *run, (PUT_IN, normal)))
        else:
            result.extend(run)
        run.clear()

    for index, instruction in pieces:
        if index != PUT_IN and code[index].kind is Kind.MFMA:
            run.append((index, instruction))
        else:
            flush()
            result.append((index, instruction))
    flush()
    return result
