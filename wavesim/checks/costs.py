"""What something costs: the difference of two simulations, the trace as it is and the trace without it."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.analyze.loop_figures import measure_loops
from wavesim.analyze.loops import find_loops
from wavesim.analyze.stalls import issued_rows
from wavesim.errors import UserError
from wavesim.isa.machine import Machine
from wavesim.timing import simulate
from wavesim.trace import Trace

SIMULATED_INSTRUCTIONS = 400_000
"""Dynamic instructions that one meter simulates; beyond, costs are not known. A fixed number, so that the
same input gives the same output."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Of a simulated trace; ``per_iteration`` of its outermost loop, where it has one."""

    total: int
    per_iteration: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Clocks with and without what is asked about."""

    now: Clocks
    without: Clocks

    @property
    def per_iteration(self) -> float | None:
        """Clocks per iteration saved, where there is a loop."""
        if self.now.per_iteration is None or self.without.per_iteration is None:
            return None
        return self.now.per_iteration - self.without.per_iteration

    def __str__(self) -> str:
        saved = self.per_iteration
        if saved is not None and round(saved) > 0:
            return f"it costs {saved:.0f} of {self.now.per_iteration:.0f} clk per iteration (simulated)"
        total = self.now.total - self.without.total
        if total > 0:
            return f"it costs {total} of {self.now.total} clk (simulated)"
        return "simulated, it costs no clocks here"


class CostMeter:
    """Simulates changed traces of one execution against the unchanged one, up to a fixed amount."""

    def __init__(self, trace: Trace, machine: Machine) -> None:
        self.machine = machine
        self.trace = trace
        self.left = SIMULATED_INSTRUCTIONS // max(trace.instruction_count, 1)
        self._now: Clocks | None = None

    def cost(self, changed: Trace) -> Cost | None:
        """What the difference costs; ``None`` if it is not simulated, or the simulation does not end."""
        if self._now is None:
            if self.left < 2:
                return None
            self.left -= 1
            self._now = self._clocks(self.trace)
        if self._now is None or self.left < 1:
            return None
        self.left -= 1
        without = self._clocks(changed)
        return Cost(self._now, without) if without is not None else None

    def _clocks(self, trace: Trace) -> Clocks | None:
        try:
            timeline = simulate(trace, self.machine.parameters)
        except UserError:
            return None
        if not timeline.complete:
            return None
        issued = [issued_rows(wave) for wave in timeline.waves]
        loops = measure_loops(find_loops(trace, issued), timeline)
        return Clocks(timeline.clk_total, loops[0][1].clk_per_iteration if loops else None)
