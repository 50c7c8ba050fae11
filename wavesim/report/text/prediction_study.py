"""The prediction page: errors with and without each part, and each fitted number left to the other traces."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

from wavesim.replays.prediction_study import FITTED, PARTS, LeftOut, Part, Predicted, Study
from wavesim.report.json.schemas import headed
from wavesim.report.text.validation import bullets, markdown_table, signed
from wavesim.timing.memory.predict import INTERVALS, UNMEASURED_INTERVAL
from wavesim.words import counted

PROSE_COLUMNS = 100
INTRODUCTION = (
    "The kernel of each trace is taken from the trace's listing and run with its launch on the model alone. "
    "No time of any trace is used. The error is that of the predicted clk/iteration against the measured "
    "one (of the whole span for a trace without a loop of eight passes). A trace shows the first round of "
    "workgroups on its compute unit. Without a launch all of the code runs as a region with unknown data: "
    "its loops make as many passes as the waves of the trace made, and all lines come from HBM. A kernel "
    "with neither launch nor loop is not predicted; it is named below. The column `replay` has the error "
    "of the replay, which takes every latency from the trace ([accuracy](accuracy.md)). The columns `no ...` "
    "have the error without a [part](#parts) of the model of memory."
)
WORST_TARGET, MEDIAN_TARGET = 0.10, 0.04
"""Largest |error| of a trace with a launch, and of their median."""


def prediction_table(study: Study) -> list[str]:
    """Each trace with its measured and predicted clocks; the error as it is and without each part."""
    heads = ["trace", "on", "measured clk", "predicted", "error %", "replay %"]
    heads += [f"no {part.name} %" for part in PARTS]
    body = []
    for row in study.rows:
        if row.failure:
            continue
        error = row.error() or 0.0
        name = row.folder + ("" if row.has_loop else " (span)") + ("" if row.with_launch else " (no launch)")
        predicted = f"{row.measured_clk * (1 + error):.1f}"
        others = (signed(row.error(part.without)) for part in PARTS)
        body.append(
            [
                name,
                row.machine,
                f"{row.measured_clk:.1f}",
                predicted,
                signed(error),
                signed(row.replayed),
                *others,
            ]
        )
    for name, figure in (("mean", study.mean), ("median", study.median)):
        values = (f"{100 * figure(part.without):.1f}" for part in PARTS)
        body.append(
            [f"{name} of absolute errors, with launch", "", "", "", f"{100 * figure():.1f}", "", *values]
        )
    return markdown_table(heads, body)


def left_out_table(left_out: Sequence[LeftOut]) -> list[str]:
    """Each fitted number: what fits best, and the error where the other traces choose it for each one."""
    heads = ["number", "fits best", "mean error % with it", "left out %", "worst left out", "its choice"]
    body = []
    for each in left_out:
        worst = max(each.errors, key=lambda name: abs(each.errors[name]))
        body.append(
            [
                f"`{each.fitted.key}`",
                each.best,
                f"{100 * each.fitted_error:.1f}",
                f"{100 * each.mean_error:.1f}",
                f"{worst}: {signed(each.errors[worst])}",
                each.chosen[worst],
            ]
        )
    return markdown_table(heads, body)


def not_predicted(rows: Sequence[Predicted]) -> list[str]:
    """Traces that could not be, with the reason."""
    return [f"{row.folder}: {row.failure}" for row in rows if row.failure]


def misses(study: Study) -> list[str]:
    """Figures that are beyond what is wished for."""
    found = []
    mine = study.with_launch()
    if mine and study.median() > MEDIAN_TARGET:
        found.append(f"median of |error| {100 * study.median():.1f} % (at most {100 * MEDIAN_TARGET:.0f} %)")
    found += [
        f"{row.folder}: {signed(row.error())} % (at most {100 * WORST_TARGET:.0f} %)"
        for row in mine
        if abs(row.error() or 0.0) > WORST_TARGET
    ]
    for arch, interval in INTERVALS.items():
        largest = study.largest_left_out(arch)
        if largest is not None and largest > interval:
            found.append(
                f"{arch}: ± {100 * interval:.0f} % does not hold the largest error of a trace left out, "
                f"{100 * largest:.1f} %"
            )
    return found


def prediction_page(study: Study, date: str, command: str) -> str:
    """The whole of docs/prediction.md."""
    lines = [
        "# Prediction",
        "",
        f"Made on {date} by",
        f"`{command}`.",
        *textwrap.wrap(INTRODUCTION, PROSE_COLUMNS),
        "",
        *prediction_table(study),
        "",
        "Not predicted:",
        "",
        *bullets(not_predicted(study.rows)),
        "",
        "## Parts",
        "",
        *bullets([_about(part) for part in PARTS]),
        "",
        "## Fitted numbers",
        "",
        *bullets([f"`{each.key}` ({', '.join(each.archs)}): {each.about}" for each in FITTED]),
        "",
        "Each number is chosen anew for every trace, from all other traces with a launch (leave one out):",
        "",
        *left_out_table(study.left_out),
        "",
        "## Interval",
        "",
        *_intervals(study),
        "",
        "## Figures not met",
        "",
        *bullets(misses(study)),
    ]
    return "\n".join(lines) + "\n"


def _intervals(study: Study) -> list[str]:
    said = []
    for arch, interval in INTERVALS.items():
        largest = study.largest_left_out(arch)
        value = f" ({100 * largest:.1f} %)" if largest is not None else ""
        said.append(
            f"On {arch} a prediction says ± {100 * interval:.0f} %. That holds the largest error of a trace "
            f"that was left out{value}."
        )
    said.append(
        "If one more kernel is like these, its error is the largest of all in one of "
        f"{len(study.with_launch()) + 1} cases. On other architectures there is no measured kernel whose "
        f"launch is known. There a prediction says ± {100 * UNMEASURED_INTERVAL:.0f} %, which is an "
        "assumption. Without a launch it says no interval."
    )
    traces = len(study.with_launch())
    others = ", ".join(str(study.held_left_out(each)) for each in study.left_out)
    said.append(
        f"Of the {counted(traces, 'trace')} with a launch the interval holds the measured clocks of "
        + str(study.held())
        + (f", and with each number chosen by the others those of {others}" if others else "")
        + f". It claims {traces} of {traces + 1}. Half as wide it would hold {study.held(0.5)}."
    )
    return textwrap.wrap(" ".join(said), PROSE_COLUMNS)


def _about(part: Part) -> str:
    return f"{part.name}: {part.about}"


def study_json(study: Study) -> str:
    """The study as JSON; errors are signed fractions of the measured value."""
    data: dict[str, Any] = {
        "traces": [
            {
                "trace": row.folder,
                "machine": row.machine,
                "launch": row.with_launch,
                "loop": row.has_loop,
                "measured_clk": row.measured_clk,
                "error": row.error(),
                "interval": row.interval,
                "in_interval": row.holds(row.error()) if row.interval is not None else None,
                "replayed_error": row.replayed,
                "without": {part.name: row.error(part.without) for part in PARTS},
                "failure": row.failure or None,
            }
            for row in study.rows
        ],
        "mean_abs_error": study.mean(),
        "median_abs_error": study.median(),
        "fitted": [
            {
                "key": each.fitted.key,
                "best": each.best,
                "mean_abs_error": each.fitted_error,
                "leave_one_out": dict(each.errors),
                "chosen": dict(each.chosen),
            }
            for each in study.left_out
        ],
        "not_met": misses(study),
    }
    return json.dumps(headed("prediction-study", data), indent=2)
