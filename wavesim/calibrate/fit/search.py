"""Fit: the machine values with which the simulated microbenchmarks take the measured clocks.

The same programs run in the simulator. A value is what makes simulated equal measured; it is found by a
bounded search over whole numbers, parameter after parameter in an order in which each one's
benchmarks depend on those before. What the data do not tell apart is reported as not determined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from wavesim.calibrate.bench.benchmark import Benchmark
from wavesim.calibrate.bench.quantities import Model, candidates, is_count
from wavesim.calibrate.bench.samples import Samples, with_overheads
from wavesim.calibrate.bench.template import program
from wavesim.emulate.addresses import emulate_addresses
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import Machine
from wavesim.timing import simulate
from wavesim.trace import Trace

Float = npt.NDArray[np.float64]
Progress = Callable[[str, float], None]

JOINT = (
    ("fetch.restart_next_clk", "fetch.refill_clk"),
    ("lds.queue_entries", "lds.queue_hold_clk"),
    ("memory.queue_entries", "memory.tail_bytes"),
)
"""Parameters that show in the same programs and are searched together."""

SWEEPS = 3
"""Later sweeps look again only at parameters whose benchmarks still disagree."""

SIGMAS = 2.5
"""Values that fit worse than the best by less than so many errors of the data are not told apart."""

COARSE = 12
"""Points per parameter of the first grid."""

POOR_CLK, POOR_SHARE = 6.0, 0.02
"""A benchmark disagrees if it is off by more than this many clocks and by more than this share."""

UNSURE_CLK = 8
"""An interval of clocks up to this width (two issue slots) still determines a value."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One parameter's outcome: ``value`` fits best (``stock`` where that fits as well); it counts only if
    ``determined``. ``low`` and ``high`` bound the values that fit as well as the noise allows;
    ``observations`` is the number of measured clocks that speak about it."""

    name: str
    value: int
    stock: int
    low: int
    high: int
    determined: bool
    observations: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Residual:
    """How far one benchmark is off with the fitted values: clk of the wave that is worst, and as a share."""

    benchmark: str
    measured_clk: float
    simulated_clk: float
    poor: bool

    @property
    def error_clk(self) -> float:
        """Simulated - measured."""
        return self.simulated_clk - self.measured_clk


@dataclass(frozen=True)
class FitResult:
    """All parameters and residuals, and the model with the determined values."""

    fitted: tuple[Fitted, ...]
    residuals: tuple[Residual, ...]
    model: Model

    @property
    def poor(self) -> tuple[Residual, ...]:
        """The benchmarks that disagree."""
        return tuple(each for each in self.residuals if each.poor)

    @property
    def good(self) -> bool:
        """Whether the model explains every benchmark."""
        return not self.poor


class Simulator:
    """The benchmarks in the simulator: executed once, timed as often as wanted."""

    def __init__(self, machine: Machine, benchmarks: Sequence[Benchmark]) -> None:
        self._machine = machine
        self._benchmarks = {each.name: each for each in with_overheads(benchmarks)}
        self._traces: dict[str, tuple[Trace, tuple[npt.NDArray[np.int64], ...]]] = {}
        self._known: dict[tuple[str, frozenset[tuple[str, int]]], Float] = {}
        self._stock = Model.of(machine)
        self._last: tuple[frozenset[tuple[str, int]], Model] = frozenset(), self._stock

    def net_clk(self, name: str, values: dict[str, int]) -> Float:
        """Per wave the clocks between the clock reads, less those of the empty program."""
        waves = self._benchmarks[name].body.waves
        return self._clk(name, values) - np.median(self._clk(f"overhead_{waves}", values))

    def _clk(self, name: str, values: dict[str, int]) -> Float:
        key = (name, frozenset(values.items()))
        if key not in self._known:
            model = self._model(key[1])
            trace, levels = self._trace(name)
            timeline = simulate(model.levels.with_latencies(trace, levels), model.parameters)
            opcodes = np.array([entry.instruction.opcode == "s_memtime" for entry in trace.code])
            clocks = []
            for wave, executed in zip(timeline.waves, trace.waves, strict=True):
                first, second = wave.issue_clk[np.flatnonzero(opcodes[executed.code])]
                clocks.append(float(second - first))
            self._known[key] = np.array(clocks)
        return self._known[key]

    def _model(self, values: frozenset[tuple[str, int]]) -> Model:
        """The model with these values; benchmarks are asked about one and the same in a row."""
        if self._last[0] != values:
            self._last = values, self._stock.changed(dict(values))
        return self._last[1]

    def _trace(self, name: str) -> tuple[Trace, tuple[npt.NDArray[np.int64], ...]]:
        """A benchmark's Trace, and in which memory level each row's lines are."""
        if name not in self._traces:
            body = self._benchmarks[name].body
            arguments = (
                MatrixArgument("out", "i32", 1, LANES * body.waves, init="zero"),
                MatrixArgument("data", "i32", 1, -(-len(body.data) // 4), init="given", content=body.data),
            )
            launch = Launch(arguments, LANES * body.waves)
            trace = emulate_addresses(program(name, body, self._machine.arch), launch, self._machine).trace
            levels = replace(self._stock.levels, forced=body.forced_level)
            self._traces[name] = trace, levels.classified(trace)
        return self._traces[name]


@dataclass(frozen=True)
class _Measured:
    """A benchmark's measured clocks less the empty program's, and how sure they are."""

    net_clk: Float
    error_clk: float


def fit(
    machine: Machine,
    benchmarks: Sequence[Benchmark],
    samples: Samples,
    progress: Progress | None = None,
) -> FitResult:
    """Fit every parameter that some benchmark is for.

    Args:
        machine: the stock machine: where the search begins and what undetermined values keep.
        benchmarks: those that were measured.
        samples: their clocks.
        progress: called with what is being fitted and the share that is done.
    """
    measured = {each.name: _measured(samples, each) for each in benchmarks}
    simulator = Simulator(machine, benchmarks)
    stock = Model.of(machine)
    groups = _groups(benchmarks)
    values: dict[str, int] = {}
    outcome: dict[str, Fitted] = {}
    again = groups
    for sweep in range(SWEEPS):
        for number, names in enumerate(again):
            if progress is not None:
                progress("fit " + ", ".join(names), (sweep + number / len(again)) / SWEEPS)
            used = [each for each in benchmarks if set(each.parameters) & set(names)]
            for each in _search(simulator, stock, measured, used, names, values):
                outcome[each.name] = each
                values[each.name] = each.value
        bad = {
            name
            for each in benchmarks
            if _residual(simulator, measured[each.name], each, values).poor
            for name in each.parameters
        }
        again = [names for names in groups if bad & set(names)]
    residuals = tuple(_residual(simulator, measured[each.name], each, values) for each in benchmarks)
    sure = {each.name: each.value for each in outcome.values() if each.determined}
    return FitResult(tuple(outcome.values()), residuals, stock.changed(sure))


def _measured(samples: Samples, benchmark: Benchmark) -> _Measured:
    overhead = f"overhead_{benchmark.body.waves}"
    error = np.hypot(samples.spread(benchmark.name), samples.spread(overhead))
    return _Measured(
        samples.median(benchmark.name) - np.median(samples.median(overhead)), max(float(error), 0.5)
    )


def _groups(benchmarks: Sequence[Benchmark]) -> list[tuple[str, ...]]:
    """Parameters in the order of their first benchmark, joint ones together."""
    order = list(dict.fromkeys(name for each in benchmarks for name in each.parameters))
    joint = {name: names for names in JOINT for name in names}
    return list(dict.fromkeys(joint.get(name, (name,)) for name in order))


def _search(
    simulator: Simulator,
    stock: Model,
    measured: dict[str, _Measured],
    used: Sequence[Benchmark],
    names: tuple[str, ...],
    values: dict[str, int],
) -> list[Fitted]:
    """The best values of one group of parameters, the others as they are."""
    grids = [candidates(name, stock.value(name)) for name in names]
    costs: dict[tuple[int, ...], float] = {}

    def look_at(around: Iterable[Iterable[int]]) -> None:
        """Costs of all combinations of these places in the grids; places outside count as the edge."""
        for places in product(*around):
            pairs = zip(grids, places, strict=True)
            chosen = tuple(grid[min(max(place, 0), len(grid) - 1)] for grid, place in pairs)
            if chosen not in costs:
                trial = {**values, **dict(zip(names, chosen, strict=True))}
                costs[chosen] = sum(
                    float(np.abs(simulator.net_clk(each.name, trial) - measured[each.name].net_clk).mean())
                    for each in used
                )

    as_stock = tuple(stock.value(name) for name in names)
    look_at([grid.index(value)] for grid, value in zip(grids, as_stock, strict=True))
    # a coarse grid over everything, then every value around its best point
    steps = [max(1, -(-len(grid) // COARSE)) for grid in grids]
    look_at(range(0, len(grid), step) for grid, step in zip(grids, steps, strict=True))
    while True:
        before = len(costs)
        centre = min(costs, key=lambda chosen: (costs[chosen], chosen))
        middle = [grid.index(value) for grid, value in zip(grids, centre, strict=True)]
        look_at(range(place - step, place + step + 1) for place, step in zip(middle, steps, strict=True))
        if len(costs) == before:
            break
    best = min(costs.values())
    # costs add up over benchmarks as independent errors do
    noise = SIGMAS * float(np.sqrt(sum(measured[each.name].error_clk ** 2 for each in used)))
    within = [chosen for chosen, found in costs.items() if found <= best + noise]
    equal = sorted(chosen for chosen, found in costs.items() if found <= best + 1e-9)
    chosen_best = as_stock if as_stock in within else equal[len(equal) // 2]
    observations = sum(len(measured[each.name].net_clk) for each in used)
    flat = len(set(costs.values())) == 1
    found = []
    for place, name in enumerate(names):
        kept = [chosen[place] for chosen in within]
        low, high, value = min(kept), max(kept), chosen_best[place]
        same = len(within) <= len(equal)  # values that round to the same clocks are one and the same model
        sure = not flat and (same or high - low <= _unsure(name, value))
        why = "" if sure else f"values from {low} to {high} explain the clocks equally well"
        if flat:
            why = "no benchmark depends on it"
        found.append(Fitted(name, value, as_stock[place], low, high, sure, observations, why))
    return found


def _unsure(name: str, value: int) -> float:
    """Width of an interval that still determines a value: none for counts, 5 % for rates, two slots or 10 %
    for clocks."""
    if is_count(name):
        return 0
    return 0.05 * value if "bytes_per_clk" in name else max(UNSURE_CLK, 0.1 * value)


def _residual(
    simulator: Simulator, measured: _Measured, benchmark: Benchmark, values: dict[str, int]
) -> Residual:
    simulated = simulator.net_clk(benchmark.name, values)
    worst = int(np.argmax(np.abs(simulated - measured.net_clk)))
    real, model = float(measured.net_clk[worst]), float(simulated[worst])
    off = abs(model - real)
    poor = off > max(POOR_CLK + 4 * measured.error_clk, POOR_SHARE * abs(real))
    return Residual(benchmark.name, real, model, poor)
