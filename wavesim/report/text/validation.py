"""The accuracy tables: as text and as the page docs/accuracy.md carries."""

from __future__ import annotations

import json
import statistics
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from wavesim.replays.ablation import ABLATION_ROWS, Ablation
from wavesim.replays.att.occupancy import MARK, MARK_SAYS
from wavesim.replays.compare import CLASSES
from wavesim.replays.validate import FORCED_ROWS, MODES, ValidationRow, mean_error, variant_ratios
from wavesim.report.json.left_out import left_out_json
from wavesim.report.json.schemas import headed
from wavesim.words import percent, signed_percent

TARGET = 0.05
"""|error| of one trace, with measured latencies, beyond which it is listed as a failure."""
MEAN_TARGETS = (0.02, 0.04, None)
"""Largest mean |error| by memory mode."""
MODEL_MEDIAN_TARGET = 0.10
BUSY_TARGET = 0.02
"""MFMA busy: difference of the shares."""
STALL_SHARE, STALL_TARGET = 0.05, 0.20
"""Stall reasons over this share of wave clocks are to be right within the other."""
FORCED_TARGET = 0.08
RATIO_TARGET = 0.05

Table = list[list[str]]


def markdown_table(heads: list[str], body: Table) -> list[str]:
    """A Markdown table that reads as text too: the first column to the left, the others to the right."""
    widths = [max(len(line[column]) for line in [heads, *body]) for column in range(len(heads))]
    lines = [_line(heads, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    return lines + [_line(line, widths) for line in body]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def signed(share: float | None) -> str:
    """A share in per cent with its sign, for a column headed so."""
    return "-" if share is None else f"{100 * share:+.1f}"


def mca_error(row: ValidationRow) -> float | None:
    """llvm-mca's clk per iteration against the measured, a signed fraction."""
    if row.mca.clk is None or not row.measured_clk:
        return None
    return row.mca.clk / row.measured_clk - 1


def table(rows: Sequence[ValidationRow]) -> list[str]:
    """The main table in Markdown."""
    heads = [
        "trace",
        "measured clk",
        "simulated",
        "MFMA busy %",
        *(f"{mode} %" for mode in MODES),
        "llvm-mca %",
    ]
    body = []
    for row in rows:
        if row.failure:
            body.append([row.name, f"failed: {row.failure}", *[""] * (len(heads) - 2)])
            continue
        what = "" if row.has_loop else " (span)"
        body.append(
            [
                row.name + what,
                f"{row.measured_clk:.1f}",
                f"{row.simulated_clk:.1f}",
                f"{100 * row.mfma_busy_measured:.1f} / {100 * row.mfma_busy_simulated:.1f}",
                *(f"{100 * error:+.1f}" for error in row.errors),
                "crashed" if "crashed" in row.mca.note else signed(mca_error(row)),
            ]
        )
    means = [f"{100 * mean_error(rows, mode):.2f}" for mode in range(len(MODES))]
    medians = [f"{100 * median_error(rows, mode):.2f}" for mode in range(len(MODES))]
    by_mca = [abs(error) for row in rows if (error := mca_error(row)) is not None]
    mca_mean = f"{100 * statistics.mean(by_mca):.1f}" if by_mca else "-"
    mca_median = f"{100 * statistics.median(by_mca):.1f}" if by_mca else "-"
    body.append(["mean of absolute errors", "", "", "", *means, mca_mean])
    body.append(["median of absolute errors", "", "", "", *medians, mca_median])
    return markdown_table(heads, body) + footnote(row.name for row in rows)


def footnote(names: Iterable[str]) -> list[str]:
    """What the mark on some of the names of traces says; nothing where none has it."""
    if not any(name.endswith(MARK) for name in names):
        return []
    return ["", *textwrap.wrap(MARK_SAYS.replace(MARK, f"\\{MARK}"), 100)]


def median_error(rows: Sequence[ValidationRow], mode: int) -> float:
    """Median |error| over the rows that could be replayed; 0 without any."""
    errors = [abs(row.errors[mode]) for row in rows if row.errors]
    return statistics.median(errors) if errors else 0.0


def forced_table(rows: Sequence[ValidationRow]) -> list[str]:
    """Share of wave clocks issued too late or too early, by class of instruction."""
    heads = ["trace", "all %", "late", "early", *CLASSES, "free-running, median clk"]
    body = []
    for row in rows:
        if row.forced is None:
            continue
        whole = max(1, row.forced.wave_clk)
        classes = []
        for name in CLASSES:
            one = row.forced.classes.get(name)
            classes.append(f"{100 * (one.late_clk + one.early_clk) / whole:.1f}" if one else "-")
        shares = [f"{100 * share:.1f}" for share in (row.forced.share, row.forced.late, row.forced.early)]
        free = "-" if row.issue_error_clk is None else f"{row.issue_error_clk:.0f}"
        body.append([row.name, *shares, *classes, free])
    return markdown_table(heads, body) if body else []


def stall_table(rows: Sequence[ValidationRow]) -> list[str]:
    """Stall reasons over 5 % of wave clocks: measured / simulated share and the difference."""
    body = []
    for row in rows:
        for name, real in sorted(row.stalls_measured.items(), key=lambda item: -item[1]):
            if real > STALL_SHARE:
                model = row.stalls_simulated.get(name, 0.0)
                shares = [f"{100 * real:.1f}", f"{100 * model:.1f}"]
                body.append([row.name, name, *shares, signed(_stall_error(row, name))])
    return markdown_table(["trace", "reason", "measured %", "simulated %", "error %"], body) if body else []


def _stall_error(row: ValidationRow, name: str) -> float:
    return row.stalls_simulated.get(name, 0.0) / row.stalls_measured[name] - 1


def ratio_lines(rows: Sequence[ValidationRow]) -> list[str]:
    """Variants of a kernel against each other."""
    return [
        f"{one.one} / {one.other}: measured {one.measured:.3f}, simulated {one.simulated:.3f} "
        f"({signed_percent(one.error)})"
        for one in variant_ratios(rows)
    ]


def failures(rows: Sequence[ValidationRow]) -> list[str]:
    """Traces that could not be replayed or are off by more than the target."""
    found = [f"{row.name}: {row.failure}" for row in rows if row.failure]
    found += [
        f"{row.name}: {signed_percent(row.errors[0])} with measured latencies"
        for row in rows
        if row.errors and abs(row.errors[0]) > TARGET
    ]
    return found


def misses(rows: Sequence[ValidationRow]) -> list[str]:
    """The finer figures that are not met, with how far they are."""
    found = []
    for mode, name in enumerate(MODES):
        most = MEAN_TARGETS[mode]
        if most is not None and mean_error(rows, mode) > most:
            found.append(
                f"mean with {name}: {percent(mean_error(rows, mode), 2)} (at most {percent(most, 0)})"
            )
    if median_error(rows, MODES.index("model")) > MODEL_MEDIAN_TARGET:
        found.append(f"median with model: {percent(median_error(rows, MODES.index('model')))} (at most 10 %)")
    for row in rows:
        points = row.mfma_busy_simulated - row.mfma_busy_measured
        if abs(points) > BUSY_TARGET:
            found.append(f"{row.name}: MFMA busy {100 * points:+.1f} points (at most 2)")
        if row.forced is not None and row.forced.share > FORCED_TARGET:
            found.append(f"{row.name}: teacher-forced {percent(row.forced.share)} (at most 8 %)")
        for name, share in row.stalls_measured.items():
            if share > STALL_SHARE and abs(_stall_error(row, name)) > STALL_TARGET:
                found.append(f"{row.name}: {name} stalls {signed(_stall_error(row, name))} % (at most 20 %)")
    for ratio in variant_ratios(rows):
        if not ratio.same_order:
            found.append(f"{ratio.one} / {ratio.other}: the wrong one is predicted faster")
        if abs(ratio.error) > RATIO_TARGET:
            found.append(
                f"{ratio.one} / {ratio.other}: ratio off by {signed_percent(ratio.error)} (at most 5 %)"
            )
    return found


def ablation_table(ablations: Sequence[Ablation]) -> list[str]:
    """Mean error with all rules and without each."""
    base = ablations[0].mean_error if ablations else 0.0
    body = []
    for one in ablations:
        failed = f", {one.failed} failed" if one.failed else ""
        moved = (
            f"{one.most_changed}: {100 * one.its_error:+.1f}{failed}" if one.rule and one.count else failed
        )
        body.append(
            [
                f"`{one.rule}`" if one.rule else "all rules",
                f"{100 * one.mean_error:.2f}",
                f"{100 * (one.mean_error - base):+.2f}" if one.rule else "",
                moved,
            ]
        )
    return markdown_table(["without", "mean error %", "worth %", "changes most, its error %"], body)


def page(
    rows: Sequence[ValidationRow],
    date: str,
    command: str,
    ablations: Sequence[Ablation] = (),
    notes: str = "",
) -> str:
    """The whole of docs/accuracy.md; ``notes`` is Markdown below the figures not met."""
    lines = [
        "# Accuracy",
        "",
        f"Made on {date} by",
        f"`{command}`.",
        "Measured rocprofv3 thread traces are replayed through the timing engine; the error is that of",
        "clk/iteration (of the whole span for a trace without a loop of eight passes), simulated against",
        "measured. `measured` takes each global-memory latency from the trace: an input, not a prediction.",
        "`shifted:1` takes it from one loop iteration later. `model` uses the machine file's latencies by",
        "role of the access. [Prediction](prediction.md) tells the model no time of a trace.",
        "",
        "`llvm-mca` (of LLVM, cycles × 4 clocks) schedules the rows that one wave executes in its commonest",
        "pass of the same loop; it knows neither other waves nor memory.",
        "",
        *table(rows),
        "",
        f"Failures (a trace beyond {percent(TARGET, 0)} with measured latencies, or not readable):",
        "",
        *bullets(failures(rows)),
    ]
    if forced_table(rows):
        lines += [
            "",
            "## Instruction by instruction",
            "",
            "Teacher-forced, every earlier issue being as measured: share of wave clocks by which",
            "instructions are predicted too late or too early, in %, and by class",
            f"(of the first {FORCED_ROWS:,} instructions of each trace). The last column is the",
            "free-running model's: median error of issue times within an iteration.",
            "",
            *forced_table(rows),
        ]
    if stall_table(rows):
        lines += [
            "",
            "## Stalls",
            "",
            "Reasons over 5 % of wave clocks, in % of the measured ones. A trace does not tell all reasons",
            "apart, so both sides are read as a trace: ports, holds and lost slots count with the queue or",
            "pipe of the instruction that waited, restarts after branches as `fetch`.",
            "",
            *stall_table(rows),
        ]
    if ratio_lines(rows):
        lines += ["", "## Variants of a kernel", "", *bullets(ratio_lines(rows))]
    lines += ["", "## Figures not met", "", *bullets(misses(rows))]
    if notes.strip():
        lines += ["", notes.strip()]
    if ablations:
        lines += [
            "",
            "## What each rule is worth",
            "",
            "Mean |error| with measured latencies when one rule of docs/model §14 is switched off, over",
            f"the first {ABLATION_ROWS:,} instructions of each trace (so `all rules` is not the mean above).",
            "",
            *ablation_table(ablations),
        ]
    return "\n".join(lines) + "\n"


def bullets(items: Sequence[str]) -> list[str]:
    """A Markdown list within 100 columns; of nothing, "none"."""
    wrapped = [textwrap.wrap(f"- {each}", 100, subsequent_indent="  ") for each in items]
    return [line for lines in wrapped for line in lines] or ["- none"]


def _json_row(row: ValidationRow) -> dict[str, Any]:
    forced = row.forced
    return {
        "trace": row.folder,
        "waves_left_out": left_out_json(row.left_out),
        "arch": row.arch,
        "loop": row.has_loop,
        "measured_clk": row.measured_clk,
        "simulated_clk": row.simulated_clk,
        "mfma_busy": {"measured": row.mfma_busy_measured, "simulated": row.mfma_busy_simulated},
        "error": dict(zip(MODES, row.errors, strict=False)),
        "stalls": {"measured": dict(row.stalls_measured), "simulated": dict(row.stalls_simulated)},
        "teacher_forced": None
        if forced is None
        else {"share": forced.share, "late": forced.late, "early": forced.early, "instructions": forced.rows},
        "issue_error_clk": row.issue_error_clk,
        "llvm_mca": {"clk": row.mca.clk, "error": mca_error(row), "note": row.mca.note or None},
        "failure": row.failure or None,
    }


def json_rows(rows: Sequence[ValidationRow], ablations: Sequence[Ablation] = ()) -> str:
    """The rows and means as JSON."""
    data = {
        "traces": [_json_row(row) for row in rows],
        "mean_abs_error": {mode: mean_error(rows, number) for number, mode in enumerate(MODES)},
        "median_abs_error": {mode: median_error(rows, number) for number, mode in enumerate(MODES)},
        "variants": [
            {"one": one.one, "other": one.other, "measured": one.measured, "simulated": one.simulated}
            for one in variant_ratios(rows)
        ],
        "not_met": misses(rows),
        "ablation": [
            {"without": one.rule or None, "mean_abs_error": one.mean_error, "failed": one.failed}
            for one in ablations
        ],
    }
    return json.dumps(headed("validate", data), indent=2)
