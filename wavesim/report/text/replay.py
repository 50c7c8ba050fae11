"""What `wavesim replay` and `wavesim trace info` print: text and JSON of a replay and of an import."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.text import Text

from wavesim.analyze.activity import Activity
from wavesim.analyze.culprits import Culprit
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.replays.att.imported import ImportedTrace, ImportedUnit
from wavesim.replays.att.occupancy import MARK_SAYS
from wavesim.replays.compare import CLASSES, Side, main_loop, side, worst_pass
from wavesim.replays.compute_unit import ReplayResult
from wavesim.replays.teacher_forced import TeacherForced
from wavesim.report.export.blame import named
from wavesim.report.export.perfetto import perfetto_events
from wavesim.report.json.left_out import left_out_json
from wavesim.report.json.schemas import headed
from wavesim.report.output import Look
from wavesim.report.text.picture import LABEL_WIDTH, Scale, lanes, legend, ruler
from wavesim.timing.rules import BY_NAME
from wavesim.trace import REASON_NAMES, Timeline
from wavesim.words import counted

Json = dict[str, Any]


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def _side_json(side: Side) -> Json:
    return {
        "clk_per_iteration": _rounded(side.clk_per_iteration),
        "p10": _rounded(side.p10),
        "median": _rounded(side.median),
        "p90": _rounded(side.p90),
        "iterations": side.iterations,
        "span_clk": side.span_clk,
        "mfma_busy": _rounded(side.mfma_busy, 4),
        "stalls": dict(side.stalls),
        "classes": dict(side.classes),
    }


def replay_json(result: ReplayResult) -> Json:
    """The documented JSON of one compute unit's replay; errors are signed fractions of the measured value."""
    return {
        "unit": result.unit,
        "arch": result.arch,
        "kernel": result.kernel,
        "memory": str(result.memory),
        "memory_is_input": result.memory.name != "model",
        "rules": dict(result.rules),
        "waves": result.waves,
        "waves_left_out": left_out_json(result.left_out),
        "instructions": result.instructions,
        "measured": _side_json(result.measured),
        "simulated": _side_json(result.simulated),
        "simulated_blamed": {reason: dict(opcodes) for reason, opcodes in result.blamed.items()},
        "error": {
            "clk_per_iteration": _rounded(result.error_clk_per_iteration, 5),
            "span": round(result.error_span, 5),
        },
        "issue_error_clk": {
            name: {
                "count": error.count,
                "median": error.median,
                "median_absolute": error.median_absolute,
                "p90_absolute": error.p90_absolute,
            }
            for name, error in result.issue_errors.items()
        },
        "teacher_forced": forced_json(result.forced) if result.forced else None,
        "lines": [
            {
                "code": line.code,
                "text": line.text,
                "span": str(line.span) if line.span else None,
                "count": line.count,
                "measured_clk": line.measured_clk,
                "simulated_clk": line.simulated_clk,
                "culprit": _culprit_json(result, line.culprit) if line.culprit else None,
            }
            for line in result.lines
        ],
        "notes": list(result.notes),
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}".removesuffix(".0")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _pair_rows(
    measured: Mapping[str, int], simulated: Mapping[str, int], waves: int, most: Mapping[str, str]
) -> Iterator[str]:
    """Clocks per wave by name, those with most measured or simulated clocks first; ``most`` is said too."""
    names = sorted(
        {*measured, *simulated}, key=lambda name: -max(measured.get(name, 0), simulated.get(name, 0))
    )
    for name in names:
        real, model = measured.get(name, 0), simulated.get(name, 0)
        change = _percent(model / real - 1) if real else "-"
        who = f"   {most[name]}" if name in most else ""
        yield f"  {name:<14}{real / waves:>14,.0f}{model / waves:>14,.0f}{change:>10}{who}"


def _culprit_json(result: ReplayResult, culprit: Culprit) -> Json:
    """Who is to blame for how many simulated wave clocks, in how many stalls; ``row`` waited longest."""
    waves = result.simulated_timeline.waves
    waiting, by = waves[culprit.wave], waves[culprit.by_wave]
    return {
        "reason": REASON_NAMES[culprit.reason],
        "clk": culprit.clk,
        "stalls": culprit.stalls,
        "workgroup": waiting.workgroup,
        "wave": waiting.wave,
        "row": culprit.row,
        "by_workgroup": by.workgroup,
        "by_wave": by.wave,
        "by_row": culprit.by_row,
        "by_code": culprit.by_code,
    }


def replay_lines(result: ReplayResult) -> Iterator[str]:
    """The report of one compute unit's replay."""
    real, model = result.measured, result.simulated
    yield f"{result.kernel} on {result.arch}, {result.unit}"
    yield f"{counted(result.waves, 'wave')}, {result.instructions:,} instructions"
    source = (
        "an input taken from the trace, not a prediction"
        if result.memory.name != "model"
        else "the machine file's"
    )
    yield f"global-memory latencies: {result.memory} ({source})"
    for name, used in result.rules.items():
        if not used:
            yield f"left out: {name} ({BY_NAME[name].off})"
    yield ""
    columns = [name + result.mark for name in ("measured", "simulated", "error")]
    yield "{:<16}{:>14}{:>14}{:>10}".format("", *columns)
    for name, one, other in (
        ("clk/iteration", real.clk_per_iteration, model.clk_per_iteration),
        ("p10", real.p10, model.p10),
        ("median", real.median, model.median),
        ("p90", real.p90, model.p90),
        ("whole run, clk", float(real.span_clk), float(model.span_clk)),
    ):
        error = _percent(other / one - 1) if one and other else "-"
        yield f"{name:<16}{_number(one):>14}{_number(other):>14}{error:>10}"
    points = 100 * (model.mfma_busy - real.mfma_busy)
    yield f"{'MFMA busy':<16}{real.mfma_busy:>14.1%}{model.mfma_busy:>14.1%}{points:>+7.1f} pt"
    yield ""
    yield f"clocks per wave by instruction class{result.mark}"
    yield from _pair_rows(real.classes, model.classes, result.waves, {})
    yield f"clocks per wave by stall reason{result.mark}, and what most of the simulated ones are due to"
    most = {
        name: f"{clk / model.stalls[name]:.0%} {opcode}"
        for name, opcodes in result.blamed.items()
        for opcode, clk in list(opcodes.items())[:1]
    }
    yield from _pair_rows(real.stalls, model.stalls, result.waves, most)
    yield ""
    yield f"issue time within an iteration, simulated - measured, clk{result.mark}"
    yield f"  {'class':<14}{'count':>12}{'median':>10}{'median |e|':>12}{'p90 |e|':>10}"
    for name, issue in result.issue_errors.items():
        yield (
            f"  {name:<14}{issue.count:>12,}{issue.median:>10,.0f}"
            f"{issue.median_absolute:>12,.0f}{issue.p90_absolute:>10,.0f}"
        )
    if result.forced is not None:
        yield ""
        yield from forced_lines(result.forced)
    yield ""
    yield "program lines with the largest clock difference (clocks per pass, measured -> simulated)"
    for line in result.lines:
        place = f"{line.span.line}" if line.span else str(line.code)
        change = f"{line.measured_clk / line.count:,.1f} -> {line.simulated_clk / line.count:,.1f}"
        yield f"  {place:>6}  {line.text[:60]:<60} x{line.count:<7} {change}"
        if line.culprit is not None:
            reason = REASON_NAMES[line.culprit.reason]
            clk = f"{line.culprit.clk / line.count:,.1f} {reason}"
            who = named(result.simulated_timeline, line.culprit.by_wave, line.culprit.by_row)
            yield f"          simulated: {clk}, the longest due to {who}"
    if result.mark:
        yield MARK_SAYS
    for note in result.notes:
        yield f"note: {note}"


def forced_json(forced: TeacherForced) -> Json:
    """Shares of wave clocks issued too late and too early, and clocks by class."""
    return {
        "until_clk": forced.until_clk,
        "instructions": forced.rows,
        "wave_clk": forced.wave_clk,
        "late": round(forced.late, 5),
        "early": round(forced.early, 5),
        "share": round(forced.share, 5),
        "classes": {
            name: {"count": one.count, "late_clk": one.late_clk, "early_clk": one.early_clk}
            for name, one in forced.classes.items()
        },
    }


def forced_lines(forced: TeacherForced) -> Iterator[str]:
    """The table of a teacher-forced comparison."""
    yield (
        f"teacher-forced (every earlier issue as measured): {forced.share:.1%} of wave clocks "
        "issued too late or too early"
    )
    yield f"  ({forced.rows:,} instructions, the first {forced.until_clk:,} clk)"
    yield f"  {'class':<14}{'count':>12}{'too late':>12}{'too early':>12}"
    whole = max(1, forced.wave_clk)
    for name, one in forced.classes.items():
        yield f"  {name:<14}{one.count:>12,}{one.late_clk / whole:>12.2%}{one.early_clk / whole:>12.2%}"
    yield f"  {'all':<14}{forced.rows:>12,}{forced.late:>12.2%}{forced.early:>12.2%}"


def worst_place(result: ReplayResult, look: Look) -> list[Text]:
    """Both timelines of the pass that is furthest off, one above the other, each from its own head on."""
    real, model = result.measured_timeline, result.simulated_timeline
    worst = worst_pass(real, model, result.head)
    if worst is None or worst.clk <= 0:
        return []
    column_clk = 4 * max(1, -(-worst.clk // (4 * max(8, look.width - LABEL_WIDTH))))
    wave = real.waves[worst.position]
    what = "pass" if result.head is not None else "run"
    title = f"Furthest apart: {what} {worst.number} of wave g{wave.workgroup}w{wave.wave}"
    about = f"issue times off by {worst.mean_absolute_error:.0f} clk on average; a column is {column_clk} clk"
    lines = [Text(title, style="bold"), Text(about)]
    shown: set[Activity] = set()
    for name, timeline, begin in (
        ("measured", real, worst.measured_from_clk),
        ("simulated", model, worst.simulated_from_clk),
    ):
        scale = Scale(begin, begin + worst.clk, column_clk)
        lines += [Text(f"{name}, from clk {begin:,}"), ruler(scale)]
        lines += lanes(timeline, scale, look.ascii_only, shown)
    lines += legend(shown, look.width, look.ascii_only)
    for line in lines:
        line.rstrip()
    return lines


def replay_perfetto(results: tuple[ReplayResult, ...]) -> Iterator[str]:
    """Measured and simulated timelines side by side, as one Chrome JSON trace."""
    yield '{"displayTimeUnit":"ms","otherData":{"unit":"1 us is 1 shader clock"},"traceEvents":[\n'
    first = True
    offset = 0
    for result in results:
        for timeline, name in (
            (result.measured_timeline, "measured"),
            (result.simulated_timeline, "simulated"),
        ):
            for event in perfetto_events(timeline, f"{result.unit} {name}", process_offset=offset):
                yield event if first else ",\n" + event
                first = False
            offset += 10
    yield "\n]}\n"


def _mix(timeline: Timeline) -> dict[str, int]:
    """Executed instructions by class."""
    of_kind = {kind: name for name, kinds in CLASSES.items() for kind in kinds}
    counts: Counter[str] = Counter()
    for wave in timeline.trace.waves:
        times = np.bincount(wave.code, minlength=len(timeline.trace.code)).tolist()
        for entry, count in zip(timeline.trace.code, times, strict=True):
            if count:
                counts[of_kind[entry.kind]] += count
    return {name: counts[name] for name in CLASSES if counts[name]}


def _unit_json(unit: ImportedUnit, parameters: TimingParameters) -> Json:
    from wavesim.analyze.loop_figures import measure_loops
    from wavesim.analyze.loops import find_loops

    timeline = unit.timeline
    found = find_loops(timeline.trace, [len(wave.issue_clk) for wave in timeline.waves])
    loops = [
        {
            "code_id": loop.span.line if loop.span else loop.head,
            "label": loop.label,
            "depth": loop.depth,
            "iterations": loop.iterations,
            "clk_per_iteration": _rounded(loop.wave_clk_per_iteration),
        }
        for _, loop in measure_loops(found, timeline)
    ]
    workgroups = {wave.workgroup for wave in timeline.waves}
    figures = side(timeline, main_loop(timeline), parameters)
    return {
        "unit": unit.name,
        "workgroups": len(workgroups),
        "waves": [
            {
                "file": raw.file,
                "workgroup": wave.workgroup,
                "wave": wave.wave,
                "simd": wave.simd,
                "slot": wave.slot,
                "first_clk": wave.first_clk,
                "last_clk": wave.last_clk,
                "instructions": len(wave.issue_clk),
            }
            for raw, wave in zip(unit.waves, timeline.waves, strict=True)
        ],
        "instructions": timeline.trace.instruction_count,
        "mix": _mix(timeline),
        "loops": loops,
        **{
            key: value
            for key, value in _side_json(figures).items()
            if key in ("clk_per_iteration", "p10", "median", "p90", "span_clk", "mfma_busy", "stalls")
        },
    }


def trace_json(imported: ImportedTrace, parameters: TimingParameters) -> Json:
    """The documented JSON of `wavesim trace info`."""
    data = {
        "folder": str(imported.folder.path),
        "format": imported.folder.version,
        "arch": imported.arch,
        "kernel": imported.kernel,
        "static_instructions": len(imported.program),
        "clock_ghz": _rounded(imported.clock.ghz, 4) if imported.clock else None,
        "units": [_unit_json(unit, parameters) for unit in imported.units],
        "notes": list(imported.notes),
    }
    return headed("trace", data)


def trace_lines(imported: ImportedTrace, parameters: TimingParameters) -> Iterator[str]:
    """`wavesim trace info` as text."""
    yield f"{imported.kernel} on {imported.arch} (trace format {imported.folder.version or 'unknown'})"
    yield f"{len(imported.program):,} instructions in the listing"
    if imported.clock is not None:
        yield f"shader clock {imported.clock.ghz:.3g} GHz ({imported.clock})"
    for unit in imported.units:
        data = _unit_json(unit, parameters)
        yield ""
        yield (
            f"{data['unit']}: {counted(len(data['waves']), 'wave')} "
            f"in {counted(data['workgroups'], 'workgroup')}, "
            f"{data['instructions']:,} instructions executed in {data['span_clk']:,} clk"
        )
        yield "  wave  SIMD slot      first       last  instructions"
        for wave in data["waves"]:
            yield (
                f"  {wave['workgroup']}.{wave['wave']:<4}{wave['simd']:>4}{wave['slot']:>5}"
                f"{wave['first_clk']:>11,}{wave['last_clk']:>11,}{wave['instructions']:>14,}"
            )
        yield "  executed: " + ", ".join(f"{count:,} {name}" for name, count in data["mix"].items())
        yield f"  MFMA busy {data['mfma_busy']:.1%}"
        for loop in data["loops"]:
            yield (
                f"  loop at code id {loop['code_id']} ({loop['label']}), depth {loop['depth']}: "
                f"{loop['iterations']} passes, {_number(loop['clk_per_iteration'])} clk/iteration"
            )
        if not data["loops"]:
            yield "  no loop"
        else:
            yield (
                f"  iterations: p10 {_number(data['p10'])}, median {_number(data['median'])}, "
                f"p90 {_number(data['p90'])} clk"
            )
    for note in imported.notes:
        yield f"note: {note}"


def json_text(data: Json | list[Json]) -> str:
    """JSON as it is printed."""
    return json.dumps(data, indent=2) + "\n"
