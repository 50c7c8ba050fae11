"""The accuracy table: as text and as the page docs/accuracy.md carries."""

from __future__ import annotations

import json
from collections.abc import Sequence

from wavesim.analyze.validate import MODES, ValidationRow, mean_error, median_error

TARGET = 0.05
"""|error| of one trace, with measured latencies, beyond which it is listed as a failure."""


def table(rows: Sequence[ValidationRow]) -> list[str]:
    """The table in Markdown, which reads as text too."""
    heads = ["trace", "measured clk", "simulated", "MFMA busy %", *(f"{mode} %" for mode in MODES)]
    body = []
    for row in rows:
        if row.failure:
            body.append([row.folder, f"failed: {row.failure}", *[""] * (len(heads) - 2)])
            continue
        what = "" if row.has_loop else " (span)"
        body.append(
            [
                row.folder + what,
                f"{row.measured_clk:.1f}",
                f"{row.simulated_clk:.1f}",
                f"{100 * row.mfma_busy_measured:.1f} / {100 * row.mfma_busy_simulated:.1f}",
                *(f"{100 * error:+.1f}" for error in row.errors),
            ]
        )
    means = [f"{100 * mean_error(rows, mode):.2f}" for mode in range(len(MODES))]
    body.append(["mean of absolute errors", "", "", "", *means])
    medians = [f"{100 * median_error(rows, mode):.2f}" for mode in range(len(MODES))]
    body.append(["median of absolute errors", "", "", "", *medians])
    widths = [max(len(line[column]) for line in [heads, *body]) for column in range(len(heads))]
    lines = [_line(heads, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    return lines + [_line(line, widths) for line in body]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def failures(rows: Sequence[ValidationRow]) -> list[str]:
    """Traces that could not be replayed or are off by more than the target."""
    found = [f"{row.folder}: {row.failure}" for row in rows if row.failure]
    found += [
        f"{row.folder}: {100 * row.errors[0]:+.1f} % with measured latencies"
        for row in rows
        if row.errors and abs(row.errors[0]) > TARGET
    ]
    return found


def page(rows: Sequence[ValidationRow], date: str, command: str) -> str:
    """The whole of docs/accuracy.md."""
    lines = [
        "# Accuracy",
        "",
        f"Made on {date} by `{command}`. Measured rocprofv3 thread traces are replayed",
        "through the timing engine; the error is that of clk/iteration (of the whole span for a trace",
        "without a loop), simulated against measured. `measured` takes each global-memory latency from the",
        "trace: an input, not a prediction. `shifted:1` takes it from one loop iteration later. `model` uses",
        "one documented model per architecture (docs/model.md §15), told of the kernel only how many bytes",
        "of operands it reads. LDS bank conflicts are real where the listing determines the addresses.",
        "",
        *table(rows),
        "",
        f"Failures (a trace beyond {100 * TARGET:.0f} % with measured latencies, or not readable):",
        "",
    ]
    found = failures(rows)
    lines += [f"- {each}" for each in found] if found else ["- none"]
    return "\n".join(lines) + "\n"


def json_rows(rows: Sequence[ValidationRow]) -> str:
    """The rows and means as JSON."""
    data = {
        "traces": [
            {
                "trace": row.folder,
                "arch": row.arch,
                "loop": row.has_loop,
                "measured_clk": row.measured_clk,
                "simulated_clk": row.simulated_clk,
                "mfma_busy": {"measured": row.mfma_busy_measured, "simulated": row.mfma_busy_simulated},
                "error": dict(zip(MODES, row.errors, strict=False)),
                "failure": row.failure or None,
            }
            for row in rows
        ],
        "mean_abs_error": {mode: mean_error(rows, number) for number, mode in enumerate(MODES)},
        "median_abs_error": {mode: median_error(rows, number) for number, mode in enumerate(MODES)},
    }
    return json.dumps(data, indent=2)
