"""What `wavesim predict` prints: a kernel's predicted figures beside the trace's measured ones."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wavesim.replays.att.occupancy import MARK_SAYS, mark_of
from wavesim.replays.predict import Prediction
from wavesim.report.json.left_out import left_out_json
from wavesim.report.json.schemas import headed
from wavesim.report.json.trust import trust_json
from wavesim.words import signed_percent

WIDTH = 80


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _rows(prediction: Prediction) -> Iterator[tuple[str, float | None, float | None, str]]:
    """Name, predicted and measured value, and how they are written."""
    model, real = prediction.predicted, prediction.measured
    if prediction.has_loop:
        yield "clk/iteration", model.clk_per_iteration, real.clk_per_iteration, ",.1f"
        yield "  p10", model.p10, real.p10, ",.0f"
        yield "  median", model.median, real.median, ",.0f"
        yield "  p90", model.p90, real.p90, ",.0f"
        yield "iterations", float(model.iterations), float(real.iterations), ".0f"
    if prediction.launch is not None:
        yield "whole span, clk", float(model.span_clk), float(real.span_clk), ",.0f"
    yield "MFMA busy", model.mfma_busy, real.mfma_busy, ".1%"


def prediction_lines(prediction: Prediction) -> Iterator[str]:
    """The report of a prediction."""
    run = prediction.run
    given = f"and {Path(prediction.launch).name}" if prediction.launch else "alone"
    yield f"{prediction.kernel} on {run.machine.name}"
    yield f"predicted from the listing of {prediction.folder} {given}; no time of the trace is used"
    yield ""
    mark = mark_of(prediction.left_out)
    yield f"{'':<18}{'predicted':>14}{'measured' + mark:>14}{'error' + mark:>10}"
    for name, model, real, form in _rows(prediction):
        error = (
            signed_percent(model / real - 1) if model is not None and real and form.startswith(",") else ""
        )
        line = f"{name:<18}{_figure(model, form):>14}{_figure(real, form):>14}{error:>10}"
        yield line.rstrip()
    if prediction.interval is not None:
        low, high = prediction.interval
        yield f"{'interval':<18}{f'{low:,.0f} to {high:,.0f}':>14}"
    throughput = run.analysis.throughput
    if throughput is not None and prediction.launch is not None:
        clock, seen = throughput.clock, prediction.measured_clock
        shown = f"{seen.ghz:>14.3g}" if seen is not None else ""
        yield f"{'clock, GHz':<18}{clock.ghz:>14.3g}{shown}"
        yield f"{'TFLOP/s':<18}{throughput.tflops_with_tail:>14,.1f}"
    if mark:
        yield from textwrap.wrap(MARK_SAYS, WIDTH)
    yield ""
    yield "rests on"
    clocks = (
        [f"clock {throughput.clock}; TFLOP/s of the whole dispatch"]
        if throughput is not None and prediction.launch
        else []
    )
    for each in (*prediction.rests_on, *clocks):
        yield from textwrap.wrap(each, WIDTH, initial_indent="  - ", subsequent_indent="    ")


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """The same as data; the error is a signed fraction of the measured value."""
    throughput = prediction.run.analysis.throughput
    data = {
        "folder": prediction.folder,
        "kernel": prediction.kernel,
        "machine": prediction.run.machine.name,
        "arch": prediction.run.machine.arch,
        "launch": Path(prediction.launch).name if prediction.launch else None,
        "figure": "clk_per_iteration" if prediction.has_loop else "span_clk",
        "predicted": {name.strip(): model for name, model, _, _ in _rows(prediction)},
        "measured": {name.strip(): real for name, _, real, _ in _rows(prediction)},
        "waves_left_out": left_out_json(prediction.left_out),
        "error": prediction.error,
        "interval_clk": list(prediction.interval) if prediction.interval else None,
        "tflops": throughput.tflops_with_tail if throughput is not None and prediction.launch else None,
        "clock_ghz": throughput.clock.ghz if throughput is not None else None,
        "measured_clock_ghz": prediction.measured_clock.ghz if prediction.measured_clock else None,
        "rests_on": list(prediction.rests_on),
        "trust": trust_json(prediction.run),
    }
    return headed("predict", data)
