"""Which waves run next: batches at one program counter, barriers, parked waves, deadlocks.

Of the waves that can run, those least advanced in loops and then at the lowest program counter go first,
so that waves that parted at a branch meet again behind it. Any order is one that the hardware may take;
barriers and polling loops are what orders waves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum

from wavesim.emulate.blocks import Block, BlockMap, Exit
from wavesim.emulate.context import SCRATCH_RULE, Context
from wavesim.emulate.polls import find_polls
from wavesim.emulate.recorder import Executed, Recorder
from wavesim.emulate.runner import Runner, Runners, batches
from wavesim.emulate.spins import PollPasses, RepeatedStates
from wavesim.errors import LimitExceeded
from wavesim.isa.kinds import Kind
from wavesim.limits import INSTRUCTIONS_A_RUN, LINES_AN_INSTRUCTION, budget
from wavesim.program import Finding, Severity

PASSES_PER_TURN = 1024
"""Backward branches after which other waves get a turn, so that a counting spin starves nobody."""

PROGRESS_ROWS = 20_000
"""Executed instructions between two calls of the progress function."""


ASTRAY_INSTRUCTIONS = 20_000
"""What a wave may execute after an access outside its scratch memory: what it saved there is lost, its loop
counters and return addresses among it."""

DEADLOCKS_PASSED = 64
"""How often stuck waves are let go on where an execution is asked to see what comes behind."""


class Status(IntEnum):
    """What a wave does."""

    RUN = 0
    BARRIER = 1
    PARKED = 2
    ENDED = 3


class Scheduler:
    """Executes all waves to their end, or to a deadlock."""

    def __init__(
        self,
        context: Context,
        blocks: BlockMap,
        workgroup_of: list[int],
        *,
        skip_unknown: bool = False,
        past_deadlock: bool = False,
        progress: Callable[[int], None] | None = None,
        first: Sequence[int] = (),
    ) -> None:
        waves = context.state.waves
        self.context = context
        self.blocks = blocks
        self.workgroup_of = workgroup_of
        self.runners = Runners(context, blocks, skip_unknown)
        self.recorder = Recorder(waves)
        polls = find_polls(context.program, blocks) if context.track_writers else {}
        self.passes = PollPasses(context, self.recorder, polls)
        self.repeated = RepeatedStates(context)
        self.status = [Status.RUN] * waves
        self.pc = list(first) or [0] * waves
        self.turn = [0] * waves
        self.backward = [0] * waves
        self.waiting_at = [0] * waves
        self.parked_version = [0] * waves
        self.progress = progress
        self.passable_deadlocks = DEADLOCKS_PASSED if past_deadlock else 0
        self.releases = 0
        self.budget = budget().instructions
        # one wave at a time, an adversarial execution runs each block as often as there are waves
        self.smallest = INSTRUCTIONS_A_RUN // (1 if context.adversary is None else waves)
        self.spent = 0
        self._reported = 0
        self._astray_from: int | None = None
        self._stopped = False
        self.findings: list[Finding] = []

    def run(self) -> bool:
        """Run everything; False if it ended in a deadlock (see ``findings``).

        Raises:
            LimitExceeded: the budget of instructions is used up.
        """
        while not self._stopped:
            ready = self._ready()
            if ready and self.context.adversary is not None:
                self._run_hostile(ready)
                continue
            if not ready:
                if all(status is Status.ENDED for status in self.status):
                    return not any(finding.rule.endswith("-deadlock") for finding in self.findings)
                if self._let_arrive():
                    continue
                if not any(finding.rule.endswith("-deadlock") for finding in self.findings):
                    self._report_deadlock()
                if not self._go_past_deadlock():
                    return False
                continue
            key = min((self.turn[wave], self.pc[wave]) for wave in ready)
            chosen = [wave for wave in ready if self.pc[wave] == key[1]]
            for waves in batches(chosen):
                self._run_batch(key[1], waves, alone=len(chosen) == len(ready))
        return False

    def _run_hostile(self, ready: list[int]) -> None:
        """Adversarial order: one wave alone up to its barrier, then the next; youngest first, then oldest
        first in the next interval between barriers, and so on."""
        turn = min(self.turn[wave] for wave in ready)
        waves = [wave for wave in ready if self.turn[wave] == turn]
        wave = waves[0] if self.releases % 2 else waves[-1]
        self._run_block(self.pc[wave], self.runners.get(self.pc[wave], slice(wave, wave + 1, 1)))

    def _ready(self) -> list[int]:
        version = self.context.store_version
        for wave, status in enumerate(self.status):
            if status is Status.PARKED and self.parked_version[wave] != version:
                self.status[wave] = Status.RUN
        return [wave for wave, status in enumerate(self.status) if status is Status.RUN]

    def _run_batch(self, start: int, waves: slice, alone: bool) -> None:
        """Run one block, and those after it while the batch stays together and nobody else can run."""
        while True:
            runner = self.runners.get(start, waves)
            following = self._run_block(start, runner)
            if following is None or not alone or following < 0 or self._stopped:
                return
            if len(runner.numbers) != self.context.state.waves and self._others_ready(runner.numbers):
                return
            start = following

    def _others_ready(self, numbers: list[int]) -> bool:
        return len(self._ready()) != len(numbers)

    def _run_block(self, start: int, runner: Runner) -> int | None:
        """Execute; the block where all waves of the batch go on, or None if they part or stop."""
        context, block = self.context, runner.block
        numbers = runner.numbers
        if context.track_writers:
            context.polled.clear()
            for wave in numbers:
                self.passes.enter(wave, start)
        self._watch_scratch()
        executed, taken = runner.run()
        self.recorder.add(executed, numbers)
        context.rows[runner.lanes.waves] += len(block)
        if context.track_writers:
            self.passes.collect()
        self._spend(runner, executed)
        if block.exit is Exit.END:
            self._end(numbers)
            return None
        if block.exit is Exit.BARRIER:
            self._arrive(numbers, block)
            return None
        if runner.targets is not None:
            return self._go(numbers, runner.targets().tolist(), block)
        if taken is not None:
            if taken.all():
                return self._go(numbers, [block.target] * len(numbers), block)
            if not taken.any():
                return self._go(numbers, [block.stop] * len(numbers), block)
            return self._go(numbers, [block.target if each else block.stop for each in taken.tolist()], block)
        target = block.target if block.exit is Exit.JUMP else block.stop
        return self._go(numbers, [target] * len(numbers), block)

    def _go(self, numbers: list[int], targets: list[int], block: Block) -> int | None:
        together = True
        first, ways = targets[0], self.context.ways
        for wave, target in zip(numbers, targets, strict=True):
            self.pc[wave] = target
            if ways is not None:
                ways.go(block, wave, target)
            together = together and target == first
            if self.passes.current[wave] is not None and self.passes.leave(wave, target):
                self._park(wave, block)
                together = False
            elif target < block.stop:
                rests = ways is not None and ways.may_rest(block, target)
                if not rests and self.repeated.repeats(wave, block.stop - 1):
                    self._park(wave, block)
                    together = False
                self.backward[wave] += 1
                if self.backward[wave] % PASSES_PER_TURN == 0:
                    self.turn[wave] += 1
                    together = False
        return first if together else None

    def _park(self, wave: int, block: Block) -> None:
        self.status[wave] = Status.PARKED
        self.parked_version[wave] = self.context.store_version
        self.waiting_at[wave] = block.stop - 1

    def _end(self, numbers: list[int]) -> None:
        for wave in numbers:
            self.status[wave] = Status.ENDED
        for group in {self.workgroup_of[wave] for wave in numbers}:
            self._release(group)

    def _arrive(self, numbers: list[int], block: Block) -> None:
        for wave in numbers:
            self.status[wave] = Status.BARRIER
            self.pc[wave] = block.stop
            if self.context.ways is not None:
                self.context.ways.go(block, wave, block.stop)
            self.waiting_at[wave] = block.stop - 1
        for group in {self.workgroup_of[wave] for wave in numbers}:
            self._release(group)

    def _release(self, group: int) -> None:
        """Let the waves of a workgroup go on if all that live have arrived at a barrier."""
        members = [wave for wave, each in enumerate(self.workgroup_of) if each == group]
        if all(self.status[wave] in (Status.BARRIER, Status.ENDED) for wave in members):
            self.releases += 1
            for wave in members:
                if self.status[wave] is Status.BARRIER:
                    self.status[wave] = Status.RUN
                    self.turn[wave] = 0

    def _spend(self, runner: Runner, executed: Executed) -> None:
        """Counts what a block cost, in instructions; its memory counts as well as its time.

        Raises:
            LimitExceeded: the budget is used up.
        """
        cost = len(runner.block) * len(runner.numbers) + executed.line_count // LINES_AN_INSTRUCTION
        self.spent += max(self.smallest, cost)
        if self.spent > self.budget:
            wave = runner.numbers[0]
            own = int(self.context.rows[wave])
            raise LimitExceeded(
                f"the budget of {self.budget} executed instructions is used up (running a block once counts "
                f"at least {INSTRUCTIONS_A_RUN}); wave {wave} is here, after {own} of its own",
                self.context.program.instructions[runner.block.stop - 1].span,
                "a smaller launch, or raise it: --max-instructions N",
            )
        if self.progress is not None and self.spent - self._reported > PROGRESS_ROWS:
            self._reported = self.spent
            self.progress(int(self.context.rows.sum()))

    def _watch_scratch(self) -> None:
        """End the execution some time after an access outside scratch."""
        if self._astray_from is None:
            if any(rule == SCRATCH_RULE for rule, _ in self.context.findings):
                self._astray_from = int(self.context.rows.max())
        elif int(self.context.rows.max()) > self._astray_from + ASTRAY_INSTRUCTIONS:
            self.went_astray(f"; {ASTRAY_INSTRUCTIONS} instructions later the execution was stopped")

    def went_astray(self, what: str) -> bool:
        """Whether what a wave met is the consequence of an access outside scratch, whose finding then says
        so; the execution has ended."""
        findings = self.context.findings
        key = next((key for key in findings if key[0] == SCRATCH_RULE), None)
        if key is None:
            return False
        findings[key] = replace(findings[key], message=findings[key].message + what)
        self._stopped = True
        return True

    def _let_arrive(self) -> bool:
        """Adversarial execution: what was held back of stuck waves arrives in the end."""
        adversary = self.context.adversary
        if adversary is None:
            return False
        stuck = [wave for wave, status in enumerate(self.status) if status is not Status.ENDED]
        arrived = [adversary.arrive(wave) for wave in stuck]
        return any(arrived)

    def _go_past_deadlock(self) -> bool:
        """Let stuck waves go on, so that what comes behind is seen too: those that poll as if the value
        had come, and only where none polls those at barriers."""
        if not self.passable_deadlocks:
            return False
        self.passable_deadlocks -= 1
        parked = [wave for wave, status in enumerate(self.status) if status is Status.PARKED]
        for wave in parked:
            branch = self.waiting_at[wave]
            if self.blocks.code[branch].kind is not Kind.COND_BRANCH:
                return False  # not a loop that ends by falling through
            self.pc[wave] = branch + 1
            self.status[wave] = Status.RUN
        for group in set(self.workgroup_of) if parked else ():
            self._release(group)
        for wave, status in enumerate(self.status):
            self.recorder.dropped[wave] = 0
            if not parked and status is Status.BARRIER:
                self.status[wave] = Status.RUN
        return True

    def _report_deadlock(self) -> None:
        """Findings for what every stuck wave waits for; their traces end before the wait."""
        at_barrier = self._places(Status.BARRIER)
        spinning = self._places(Status.PARKED)
        for wave, status in enumerate(self.status):
            if status is Status.BARRIER:
                self.recorder.dropped[wave] = 1
        stuck = [*self._texts(at_barrier, "wait", "at the barrier"), *self._texts(spinning, "poll", "at")]
        story = "; ".join(stuck)
        instructions = self.context.program.instructions
        for rule, places, fix in (
            ("barrier-deadlock", at_barrier, "every live wave of the workgroup must reach the same barriers"),
            (
                "spin-deadlock",
                spinning,
                "let another wave store the value that is polled for, before it waits",
            ),
        ):
            if places:
                spans = [instructions[index].span for index in (*places, *(at_barrier | spinning))]
                known = tuple(dict.fromkeys(span for span in spans if span is not None))
                waves = tuple(sorted(wave for group in places.values() for wave in group))
                message = f"deadlock: {story}"
                self.findings.append(Finding(rule, Severity.ERROR, message, known, waves, fix))

    def _places(self, status: Status) -> dict[int, list[int]]:
        places: dict[int, list[int]] = {}
        for wave, each in enumerate(self.status):
            if each is status:
                places.setdefault(self.waiting_at[wave], []).append(wave)
        return dict(sorted(places.items()))

    def _texts(self, places: dict[int, list[int]], verb: str, where: str) -> list[str]:
        instructions = self.context.program.instructions
        return [
            f"{f'waves {_ranges(waves)} {verb}' if len(waves) > 1 else f'wave {_ranges(waves)} {verb}s'} "
            f"{where} {instructions[index].span or f'instruction {index}'}"
            for index, waves in places.items()
        ]


def _ranges(waves: list[int]) -> str:
    """``0-3, 6`` for 0, 1, 2, 3, 6."""
    parts: list[list[int]] = []
    for wave in waves:
        if parts and parts[-1][-1] == wave - 1:
            parts[-1].append(wave)
        else:
            parts.append([wave])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
