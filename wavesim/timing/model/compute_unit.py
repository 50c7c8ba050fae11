"""The compute unit (docs/model.md §1): four SIMDs, what they share, and the waves on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import simpy

from wavesim.isa.timing_parameters import TimingParameters
from wavesim.limits import budget, clocks_used_up
from wavesim.timing.model.arbiter import Arbiter
from wavesim.timing.model.barrier import Barrier
from wavesim.timing.model.clock import Clock
from wavesim.timing.model.lds import BankArray, LdsPort
from wavesim.timing.model.memory import MemoryPath
from wavesim.timing.model.record import Uses
from wavesim.timing.model.simd import Simd
from wavesim.timing.model.turns import Turns
from wavesim.timing.model.wave import Wave
from wavesim.trace import Timeline, Trace

EVENTS_PER_REPORT = 20_000
"""Events between looks at the limit and calls of ``progress``."""


class ComputeUnit:
    """The parts of a compute unit and the waves that run on it."""

    def __init__(self, trace: Trace, p: TimingParameters) -> None:
        self.trace = trace
        self.p = p
        self.clock = clock = Clock(p.issue_slot_clk)
        self.uses = Uses()
        self.turns = Turns(p)
        scaled = any(entry.scaled for entry in trace.code)
        self.simds = [Simd(p, scaled) for _ in range(p.structure_simds)]
        pairs = p.structure_simd_pairs
        self.banks = BankArray(clock, len(pairs) + 1, self.uses)
        self.ports = [LdsPort(clock, p, number, self.banks, self.uses) for number in range(len(pairs))]
        if len(self.ports) == 2:
            self.ports[0].other, self.ports[1].other = self.ports[1], self.ports[0]
        self.port_of = {simd: self.ports[number] for number, simds in enumerate(pairs) for simd in simds}
        self.memory = MemoryPath(clock, p, trace, self.banks, self.uses)
        self.arbiter = Arbiter(clock, p, self.simds, self.ports, self.memory, self.turns)
        members = Counter(wave.workgroup for wave in trace.waves if len(wave))
        self.barriers = {workgroup: Barrier(clock, p, live) for workgroup, live in members.items()}
        self.waves = [Wave(self, position, wave) for position, wave in enumerate(trace.waves)]
        self.news_clk = 0  # since then nothing but repeated polls has happened (§12)
        for wave in self.waves:
            clock.start(wave.live())

    def note_news(self, clk: int) -> None:
        """Something other than a repeated poll lasts until ``clk``."""
        self.news_clk = max(self.news_clk, clk)

    def step(self, progress: Callable[[float], None] | None) -> None:
        """Let time run until nothing can happen any more.

        Raises:
            LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
        """
        rows, limit_clk = max(1, self.trace.instruction_count), budget().clk
        ended = False
        while not ended:
            try:
                for _ in range(EVENTS_PER_REPORT):
                    self.clock.env.step()
            except simpy.core.EmptySchedule:
                ended = True
            if self.clock.now > limit_clk:
                raise clocks_used_up()
            if progress is not None:
                progress(sum(wave.row for wave in self.waves) / rows)

    def timeline(self) -> Timeline:
        """What was written down."""
        total_clk = max((wave.latest_clk() for wave in self.waves), default=0)
        ended = all(wave.finish_clk is not None for wave in self.waves)
        return Timeline(
            trace=self.trace,
            waves=tuple(wave.timeline(total_clk) for wave in self.waves),
            clk_total=total_clk,
            busy=self.uses.busy(),
            engine="simpy",
            complete=self.trace.complete and ended,
        )


def run(
    trace: Trace, parameters: TimingParameters, progress: Callable[[float], None] | None = None
) -> Timeline:
    """Time a trace.

    Args:
        trace: the executed streams.
        parameters: the machine's numbers.
        progress: called now and then with the share done, 0..1.

    Raises:
        LimitExceeded: past the budget of clocks (:mod:`wavesim.limits`).
    """
    unit = ComputeUnit(trace, parameters)
    unit.step(progress)
    return unit.timeline()
