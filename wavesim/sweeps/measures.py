"""What a sweep can put into a column: figures of a run by their names in JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from wavesim.analyze.result import BOUND_NAMES, Analysis
from wavesim.pipeline.run import Run
from wavesim.report.figures import FIGURES

Value = int | float | str | None
"""What stands in a field of the table; ``None``: the run does not have it."""

LESS, MORE = "less", "more"
"""Which way a figure is better."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A column: its heading, its words, which way it is better (``""``: neither), its value of a run."""

    key: str
    label: str
    better: str
    value: Callable[[Run], Value]


def _clk_per_iteration(run: Run) -> Value:
    loop = run.analysis.loop
    return loop.clk_per_iteration if loop else None


def _wave_clk_per_iteration(run: Run) -> Value:
    loop = run.analysis.loop
    return loop.wave_clk_per_iteration if loop else None


def _bound(run: Run) -> Value:
    bounds = run.analysis.bounds
    return bounds.named()[bounds.binding] if bounds else None


def _binding(run: Run) -> Value:
    bounds = run.analysis.bounds
    return bounds.binding if bounds else None


def _bound_reached(run: Run) -> Value:
    loop, bound = run.analysis.loop, _bound(run)
    return bound / loop.clk_per_iteration if loop and isinstance(bound, int | float) else None


def _named_bound(name: str) -> Callable[[Run], Value]:
    def value(run: Run) -> Value:
        bounds = run.analysis.bounds
        return bounds.named().get(name) if bounds else None

    return value


def _of_throughput(name: str) -> Callable[[Run], Value]:
    def value(run: Run) -> Value:
        throughput = run.analysis.throughput
        found: Value = getattr(throughput, name) if throughput else None
        return found

    return value


def _shown(value: Callable[[Analysis], float | None]) -> Callable[[Run], Value]:
    return lambda run: value(run.analysis)


_BETTER = {"mfma_busy": MORE, "overlap": MORE, "clk_per_workgroup": LESS, "gbytes_per_s": MORE}

_ALL = (
    Measure("clk_per_iteration", "clk per iteration", LESS, _clk_per_iteration),
    Measure("wave_clk_per_iteration", "clk per iteration of a wave", LESS, _wave_clk_per_iteration),
    Measure("clk_total", "clk", LESS, lambda run: run.analysis.clk_total),
    Measure("bound", "largest bound, clk per iteration", LESS, _bound),
    Measure("binding", "which bound", "", _binding),
    Measure("bound_reached", "share of the bound reached", MORE, _bound_reached),
    *(Measure(each.key, each.label, _BETTER.get(each.key, ""), _shown(each.value)) for each in FIGURES),
    Measure("tflops", "TFLOP/s", MORE, _of_throughput("tflops")),
    Measure("tflops_with_tail", "TFLOP/s with the last round", MORE, _of_throughput("tflops_with_tail")),
    Measure("tflops_loop", "TFLOP/s of the loop alone", MORE, _of_throughput("tflops_steady")),
    Measure("instructions", "instructions", LESS, lambda run: run.analysis.instructions),
    *(
        Measure(f"bound_{name}", f"bound {name}, clk per iteration", LESS, _named_bound(name))
        for name in BOUND_NAMES
    ),
    Measure("max_rel_error", "max relative error", LESS, lambda run: run.numerics.max_rel_error),
)

MEASURES = {each.key: each for each in _ALL}
"""By name, in the order of the manual."""

USUAL = ("clk_per_iteration", "bound", "mfma_busy", "overlap", "tflops")
"""The columns of a sweep that names none."""


def measured(run: Run) -> dict[str, Value]:
    """Every figure of a run; what JSON cannot hold is none."""
    found = {key: each.value(run) for key, each in MEASURES.items()}
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in found.items()
    }
