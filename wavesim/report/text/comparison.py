"""Several kernels side by side: figures, differences to the first, and what explains them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.text import Text

from wavesim.analyze.activity import Activity
from wavesim.analyze.result import BOUND_NAMES
from wavesim.pipeline.run import Run
from wavesim.program.verdict import Verdict
from wavesim.report.figures import FIGURES
from wavesim.report.json.run import Json, run_json
from wavesim.report.json.schemas import headed
from wavesim.report.text.first_screen import MEANWHILE, idle_shares
from wavesim.report.text.terminal import IDLE_CAUSES
from wavesim.trace import REASON_NAMES
from wavesim.words import number, percent, signed_percent

LABEL = 20
COLUMN = 15


def comparison_lines(runs: Sequence[Run], width: int) -> list[Text]:
    """A table per block of kernels that fit beside each other; the first kernel stands in each."""
    room = max(1, (width - LABEL) // COLUMN - 1)
    lines: list[Text] = []
    rest = list(runs[1:])
    while True:
        block = [runs[0], *rest[:room]]
        rest = rest[room:]
        if lines:
            lines.append(Text())
        lines += _block(block)
        if not rest:
            break
    lines += [Text(), *_verdict(runs, width)]
    for run in runs:
        if run.diagnosis:
            text = f"{_file_name(run)}: {run.diagnosis}" + (f" To try: {run.to_try}" if run.to_try else "")
            lines += [Text(part) for part in textwrap.wrap(text, width, subsequent_indent="  ")]
    return lines


def comparison_json(runs: Sequence[Run]) -> dict[str, Json]:
    """The runs' own reports under ``kernels``, in the order given."""
    return headed("compare", {"kernels": [run_json(run) for run in runs]})


def _block(runs: Sequence[Run]) -> list[Text]:
    head = Text(f"{'':<{LABEL}}")
    for run in runs:
        name = _file_name(run)
        head.append(f"{name if len(name) < COLUMN else name[: COLUMN - 3] + '..':>{COLUMN}}", "bold")
    lines = [head]
    lines.append(_line("arch", [run.machine.name for run in runs]))
    lines.append(
        _line(
            "waves",
            [f"{len(run.analysis.waves)} / {_workgroups(run)} wg" for run in runs],
            "waves / workgroups",
        )
    )
    lines += _figure(runs, "clk/iteration", _clk_per_iteration)
    lines += _figure(runs, "clk/1000 FLOP", _clk_per_kflop, digits=3)
    lines += _figure(runs, "clk total", lambda run: float(run.analysis.clk_total))
    for figure in FIGURES:
        if all(figure.value(run.analysis) is None for run in runs):
            continue
        lines.append(_line(figure.label, [figure.shown(run.analysis) for run in runs]))
    lines += _figure(
        runs,
        "LDS exposed clk",
        lambda run: run.analysis.overlap.exposed_clk_per_iteration if run.analysis.overlap else None,
        differences=False,
    )
    lines += _figure(
        runs, "TFLOP/s", lambda run: run.analysis.throughput.tflops if run.analysis.throughput else None
    )
    lines.append(_line("numbers", [_numbers(run) for run in runs]))
    lines.append(_line("findings", [str(len(run.findings)) if run.findings else "none" for run in runs]))
    lines.append(_line("verdict", [str(run.verdict) for run in runs]))
    lines += [Text(), Text("Bounds  clk per iteration", style="bold")]
    for name in BOUND_NAMES:
        lines += _figure(
            runs,
            f"  {name}",
            lambda run, name=name: run.analysis.bounds.named().get(name) if run.analysis.bounds else None,  # type: ignore[misc]
            differences=False,
        )
    lines += [Text(), Text("Matrix pipe idle  clk per iteration, put down to", style="bold")]
    for activity in Activity:
        name = activity.name.lower()
        idle = [run.analysis.mfma_idle.get(name, 0.0) for run in runs]
        if any(round(value, 1) for value in idle):
            lines.append(_line(f"  {IDLE_CAUSES[activity]}", [number(value) for value in idle]))
    lines += [Text(), Text("Where the clocks go  clk per wave and iteration", style="bold")]
    tables = [_stalls_per_iteration(run) for run in runs]
    for reason in [*REASON_NAMES.values(), "unattributed"]:
        values = [table.get(reason, 0.0) if table is not None else None for table in tables]
        if any(value is not None and round(value, 1) for value in values):
            lines.append(
                _line(f"  {reason}", [number(value) if value is not None else "-" for value in values])
            )
    return lines


def _line(name: str, cells: Sequence[str], label: str = "") -> Text:
    line = Text(f"{label or name:<{LABEL}}", style="")
    for cell in cells:
        line.append(f"{cell:>{COLUMN}}")
    return line


def _figure(
    runs: Sequence[Run],
    name: str,
    value_of: Callable[[Run], float | None],
    *,
    digits: int = 1,
    differences: bool = True,
) -> list[Text]:
    """A row of figures; below it the differences to the first kernel where that is asked for."""
    values = [value_of(run) for run in runs]
    if all(value is None for value in values):
        return []
    lines = [_line(name, [number(value, digits) if value is not None else "-" for value in values])]
    first = values[0]
    if differences and first and len(runs) > 1:
        cells = ["", *(signed_percent(v / first - 1) if v is not None else "" for v in values[1:])]
        line = _line("", cells)
        line.stylize("bright_black")
        lines.append(line)
    return lines


def _file_name(run: Run) -> str:
    """The kernel's file without folder and ending: what the user typed."""
    return Path(run.kernel.file).stem or run.kernel.name


def _workgroups(run: Run) -> int:
    return len({wave.workgroup for wave in run.analysis.waves})


def _clk_per_iteration(run: Run) -> float | None:
    return run.analysis.loop.clk_per_iteration if run.analysis.loop else None


def _clk_per_kflop(run: Run) -> float | None:
    """Clocks of the whole run per 1000 FLOP of the compute unit: comparable between tile shapes."""
    throughput = run.analysis.throughput
    return 1000 * throughput.clk / throughput.flop if throughput else None


def _numbers(run: Run) -> str:
    if not run.analysis.complete:
        return "DEADLOCK"
    if not run.numerics.checked:
        return "unchecked"
    return "ok" if run.numerics.ok else "WRONG"


def _stalls_per_iteration(run: Run) -> dict[str, float] | None:
    groups = [group for group in run.analysis.groups if group.per_iteration is not None]
    waves = sum(len(group.waves) for group in groups)
    if not waves:
        return None
    mean: dict[str, float] = {}
    for group in groups:
        for reason, clk in (group.per_iteration or {}).items():
            mean[reason] = mean.get(reason, 0.0) + clk * len(group.waves) / waves
    return mean


def _verdict(runs: Sequence[Run], width: int) -> list[Text]:
    """Which is fastest per FLOP, and for each other the reasons that cost most more than there."""
    ranked = [run for run in runs if _clk_per_kflop(run) is not None and run.verdict is not Verdict.BAD]
    if len(ranked) < 2:
        return [Text("No two of them have a rate and a verdict that is not bad: nothing to rank.")]
    ranked.sort(key=lambda run: _clk_per_kflop(run) or 0.0)
    best = ranked[0]
    lines = [Text.assemble((_file_name(best), "bold"), " takes the fewest clocks per FLOP.")]
    ours = idle_shares(best.analysis)
    for run in ranked[1:]:
        theirs = idle_shares(run.analysis)
        more = (_clk_per_kflop(run) or 0.0) / (_clk_per_kflop(best) or 1.0) - 1
        busy, best_busy = percent(run.analysis.mfma_busy_share), percent(best.analysis.mfma_busy_share)
        text = f"{_file_name(run)}: {signed_percent(more)} clocks per FLOP; in the loop"
        text += f" its matrix pipes are busy {busy} of the time against {best_busy}"
        costs = sorted(((clk - ours.get(name, 0.0), name) for name, clk in theirs.items()), reverse=True)
        why = [
            f"{MEANWHILE[Activity[name.upper()]]} (+{100 * clk:.0f} points)"
            for clk, name in costs
            if clk >= 0.01
        ]
        if why:
            text += f"; they are idle longer while waves {', '.join(why[:3])}"
        lines += [Text(part) for part in textwrap.wrap(f"{text}.", width, subsequent_indent="  ")]
    return lines
